//! The home page, the OpenAPI document and its explorer, a sign of life, and the page that a
//! verification link opens.

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
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
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

use crate::assets::{EXPLORER, ICON, SCRIPT, STYLE, SWAGGER, SWAGGER_STYLE};

/// What the product is called, `APP_NAME`.
#[derive(Clone, Debug)]
struct AppName(Arc<str>);

/// What a page may do: call this API, and load what this function serves.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What the explorer may do: its icons are in its style sheet, as data.
const EXPLORER_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

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
        .route("/validate/{leadId}", get(validate))
        .route("/assets/{file}", get(asset))
        .layer(middleware::map_response(guard));
    Ok(finish_or(routes.with_state(app), unserved::unserved))
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage<'a> {
    app: &'a str,
    readme: &'a str,
    style: String,
    icon: String,
}

#[derive(Template)]
#[template(path = "validate.html")]
struct ValidatePage<'a> {
    app: &'a str,
    style: String,
    icon: String,
    script: String,
}

#[derive(Template)]
#[template(path = "explorer.html")]
struct ExplorerPage<'a> {
    app: &'a str,
    style: String,
    icon: String,
    bundle: String,
    script: String,
}

/// `GET /`.
async fn home(State(AppName(app)): State<AppName>) -> Result<Response> {
    let readme = concat!(env!("CARGO_PKG_REPOSITORY"), "#readme");
    page(&HomePage { app: &app, readme, style: STYLE.file(), icon: ICON.file() })
}

/// `GET /validate/{leadId}`: it takes the lead from its key to a tenant that is being built, on the
/// public API alone.
async fn validate(State(AppName(app)): State<AppName>, id: Id) -> Result<Response> {
    id.of::<LeadId>("leadId", "Lead")?;
    let (style, icon, script) = (STYLE.file(), ICON.file(), SCRIPT.file());
    page(&ValidatePage { app: &app, style, icon, script })
}

/// `GET /explorer`: the OpenAPI document, to read and to try out against this API.
async fn explorer(State(AppName(app)): State<AppName>) -> Result<Response> {
    let (style, icon) = (SWAGGER_STYLE.file(), ICON.file());
    let (bundle, script) = (SWAGGER.file(), EXPLORER.file());
    let page = page(&ExplorerPage { app: &app, style, icon, bundle, script })?;
    Ok(([(CONTENT_SECURITY_POLICY, EXPLORER_POLICY)], page).into_response())
}

/// `GET /assets/{file}`.
async fn asset(uri: Uri, headers: HeaderMap) -> Result<Response> {
    let found = assets::find(uri.path().rsplit('/').next().unwrap_or_default());
    found.ok_or_else(|| Error::NoRoute(uri.path().to_owned()))?.answer(&headers)
}

fn page(page: &impl Template) -> Result<Response> {
    let html = page.render().map_err(Error::aws("writing a page"))?;
    Ok(([(CACHE_CONTROL, "no-cache")], Html(html)).into_response())
}

/// What a browser is to refuse on our pages.
async fn guard(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let policy = headers.entry(CONTENT_SECURITY_POLICY);
    policy.or_insert(HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
