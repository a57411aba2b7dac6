//! The pages (home, sign-up, workspace set-up, operators' console), the OpenAPI document with its
//! explorer, and the health check.

mod assets;
mod packed;
mod ping;
mod routes;
#[cfg(test)]
mod tests;
mod unserved;

pub use routes::operations;

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
};
use domain::{Error, LeadId};
use lambda::{Env, config::ConfigError};
use web::{PathIds, Result, Served, finish_with};

use crate::assets::Asset;

/// The environment variables that the pages show.
#[derive(Clone, Debug)]
struct Settings {
    /// The name of the product, `APP_NAME`.
    app: Arc<str>,
    /// The link to the repository, `REPOSITORY_URL`.
    repository: Option<Arc<str>>,
}

/// The content security policy of the pages: same origin only.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The content security policy of the explorer, whose style sheet contains icons as `data:` URLs.
const EXPLORER_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Headers that isolate the pages from other origins and disable device features (OWASP ASVS 5.0
/// §3.4.5, §3.4.8, §3.5.8).
const ISOLATION: [(&str, &str); 4] = [
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Returns the router of this function. Requests that no function has a route for arrive here too
/// and are answered with the error envelope.
///
/// # Errors
///
/// [`ConfigError::Malformed`] if `REPOSITORY_URL` is not an HTTP URL.
pub async fn router(env: &Env) -> Result<Router, ConfigError> {
    let repository = env.get("REPOSITORY_URL").map(|_| env.url("REPOSITORY_URL")).transpose()?;
    let settings = Settings {
        app: env.get("APP_NAME").unwrap_or("Tenantry").into(),
        repository: repository.map(Into::into),
    };
    let routes = routes::routes(Served::new(settings)).into_router();
    let guarded = routes.layer(middleware::map_response(guard));
    Ok(finish_with(guarded, unserved::unserved))
}

/// The parts that all pages share.
struct Head<'a> {
    app: &'a str,
    style: &'static str,
    icon: &'static str,
}

impl<'a> Head<'a> {
    fn new(app: &'a str) -> Result<Self> {
        let (style, icon) = (Asset::at("common/page.css")?.name, Asset::at("icon.svg")?.name);
        Ok(Self { app, style, icon })
    }
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage<'a> {
    head: Head<'a>,
    repository: Option<&'a str>,
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
async fn home(State(Settings { app, repository }): State<Settings>) -> Result<Response> {
    page(&HomePage { head: Head::new(&app)?, repository: repository.as_deref() })
}

/// `GET /signup`: the sign-up form.
async fn signup(State(Settings { app, .. }): State<Settings>) -> Result<Response> {
    page(&SignupPage { head: Head::new(&app)?, script: Asset::at("signup/signup.js")? })
}

/// `GET /validate/{leadId}`: the page behind a verification link, which sets up a workspace.
async fn validate(State(Settings { app, .. }): State<Settings>, path: PathIds) -> Result<Response> {
    path.named::<LeadId>("leadId")?;
    page(&ValidatePage { head: Head::new(&app)?, script: Asset::at("signup/validate.js")? })
}

/// `GET /console`: the operators' console.
async fn console(State(Settings { app, .. }): State<Settings>) -> Result<Response> {
    let (head, script) = (Head::new(&app)?, Asset::at("console/console.js")?);
    page(&ConsolePage { head, script, style: Asset::at("console/console.css")?.name })
}

/// `GET /explorer`: Swagger UI with the OpenAPI document.
async fn explorer(State(Settings { app, .. }): State<Settings>) -> Result<Response> {
    let (head, script) = (Head::new(&app)?, Asset::at("explorer/explorer.js")?);
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
    let html = page.render().map_err(Error::internal("writing a page"))?;
    Ok(([(CACHE_CONTROL, "no-cache")], Html(html)).into_response())
}

/// Adds the security headers of pages.
async fn guard(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let policy = headers.entry(CONTENT_SECURITY_POLICY);
    policy.or_insert(HeaderValue::from_static(POLICY));
    for (name, value) in ISOLATION {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
