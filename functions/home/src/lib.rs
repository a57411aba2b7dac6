//! The pages: sign-up, what a verification link opens, the operators' console; the OpenAPI document and
//! its explorer; a sign of life.

mod assets;
mod operations;
mod packed;
mod ping;
#[cfg(test)]
mod tests;
mod unserved;

pub use operations::operations;

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    extract::State,
    http::{
        HeaderMap, HeaderValue, Uri,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY},
    },
    middleware,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use shared::{
    Env, Error, Result,
    config::ConfigError,
    domain::LeadId,
    http::{Id, finish_or},
};

use crate::assets::Asset;

/// What the product is called, `APP_NAME`.
#[derive(Clone, Debug)]
struct AppName(Arc<str>);

/// What a page may do: call this API, and load what this function serves.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What the explorer may do: its icons are in its style sheet, as data.
const EXPLORER_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// What a page keeps to itself: its address, its window, its files, and the features of the device,
/// none of which it uses (OWASP ASVS 5.0 §3.4.5, §3.4.8, §3.5.8).
const ISOLATION: [(&str, &str); 4] = [
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// The routes of this function, as `template.yaml` lists them; whatever has no route elsewhere comes
/// here too, for our envelope.
///
/// # Errors
///
/// None yet; the signature is that of every router.
pub async fn router(env: &Env) -> Result<Router, ConfigError> {
    let app = AppName(env.get("APP_NAME").unwrap_or("Tenantry").into());
    let routes = Router::new()
        .route("/", get(home))
        .route("/ping", get(ping::ping))
        .route("/openapi.json", get(packed::document))
        .route("/explorer", get(explorer))
        .route("/signup", get(signup))
        .route("/validate/{leadId}", get(validate))
        .route("/console", get(console))
        .route("/assets/{file}", get(asset))
        .layer(middleware::map_response(guard));
    Ok(finish_or(routes.with_state(app), unserved::unserved))
}

/// What every page loads.
struct Head<'a> {
    app: &'a str,
    style: &'static str,
    icon: &'static str,
}

impl<'a> Head<'a> {
    fn of(app: &'a str) -> Result<Self> {
        let (style, icon) = (Asset::at("common/page.css")?.name, Asset::at("icon.svg")?.name);
        Ok(Self { app, style, icon })
    }
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage<'a> {
    head: Head<'a>,
    readme: &'a str,
}

#[derive(Template)]
#[template(path = "signup.html")]
struct SignupPage<'a> {
    head: Head<'a>,
    script: &'static Asset,
}

#[derive(Template)]
#[template(path = "validate.html")]
struct ValidatePage<'a> {
    head: Head<'a>,
    script: &'static Asset,
}

#[derive(Template)]
#[template(path = "console.html")]
struct ConsolePage<'a> {
    head: Head<'a>,
    script: &'static Asset,
    style: &'static str,
}

#[derive(Template)]
#[template(path = "explorer.html")]
struct ExplorerPage<'a> {
    head: Head<'a>,
    script: &'static Asset,
    style: &'static str,
    bundle: &'static str,
}

/// `GET /`.
async fn home(State(AppName(app)): State<AppName>) -> Result<Response> {
    let readme = concat!(env!("CARGO_PKG_REPOSITORY"), "#readme");
    page(&HomePage { head: Head::of(&app)?, readme })
}

/// `GET /signup`: somebody asks for a tenant.
async fn signup(State(AppName(app)): State<AppName>) -> Result<Response> {
    page(&SignupPage { head: Head::of(&app)?, script: Asset::at("signup/signup.js")? })
}

/// `GET /validate/{leadId}`: it takes the lead from its key to a tenant that is built, on the public
/// API alone.
async fn validate(State(AppName(app)): State<AppName>, id: Id) -> Result<Response> {
    id.of::<LeadId>("leadId", "Lead")?;
    page(&ValidatePage { head: Head::of(&app)?, script: Asset::at("signup/validate.js")? })
}

/// `GET /console`: what operators work with, on the public API alone.
async fn console(State(AppName(app)): State<AppName>) -> Result<Response> {
    let (head, script) = (Head::of(&app)?, Asset::at("console/console.js")?);
    page(&ConsolePage { head, script, style: Asset::at("console/console.css")?.name })
}

/// `GET /explorer`: the OpenAPI document, to read and to try out against this API.
async fn explorer(State(AppName(app)): State<AppName>) -> Result<Response> {
    let (head, script) = (Head::of(&app)?, Asset::at("explorer/explorer.js")?);
    let style = Asset::at("swagger-ui/swagger-ui.css")?.name;
    let bundle = Asset::at("swagger-ui/swagger-ui-bundle.js")?.name;
    let page = page(&ExplorerPage { head, script, style, bundle })?;
    Ok(([(CONTENT_SECURITY_POLICY, EXPLORER_POLICY)], page).into_response())
}

/// `GET /assets/{file}`.
async fn asset(uri: Uri, headers: HeaderMap) -> Result<Response> {
    let found = Asset::named(uri.path().rsplit('/').next().unwrap_or_default());
    found.ok_or_else(|| Error::NoRoute(uri.path().to_owned()))?.answer(&headers)
}

fn page(page: &impl Template) -> Result<Response> {
    let html = page.render().map_err(Error::aws("writing a page"))?;
    Ok(([(CACHE_CONTROL, "no-cache")], Html(html)).into_response())
}

/// Sets what browsers refuse on our pages. Other headers are those of every answer.
async fn guard(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let policy = headers.entry(CONTENT_SECURITY_POLICY);
    policy.or_insert(HeaderValue::from_static(POLICY));
    for (name, value) in ISOLATION {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
