//! `/invoices`: what a tenant has to pay, and the page that tells it so.

mod download;
mod operations;
pub mod pdf;

pub use operations::operations;

use std::sync::Arc;

use axum::{Router, extract::FromRef, routing::get};
use shared::{
    Env,
    config::ConfigError,
    domain::InvoiceDetails,
    http::{Children, child_routes, finish},
    store::Store,
    token::Tokens,
};

/// What downloads need.
#[derive(Clone, Debug, FromRef)]
struct Downloads {
    store: Store,
    tokens: Tokens,
    issuer: Issuer,
}

/// Who invoices are from, `APP_NAME`.
#[derive(Clone, Debug)]
struct Issuer(Arc<str>);

/// The routes of this function, as `template.yaml` lists them.
///
/// # Errors
///
/// [`ConfigError`] naming the variable that is missing or malformed.
pub async fn router(env: &Env) -> Result<Router, ConfigError> {
    let children = Children::from_env(env).await?;
    let downloads = Downloads {
        store: children.store.clone(),
        tokens: children.tokens.clone(),
        issuer: Issuer(env.required("APP_NAME")?.into()),
    };
    let downloads = Router::new()
        .route("/invoices/download", get(download::by_query))
        .route("/invoices/{id}/download", get(download::by_path))
        .with_state(downloads);
    let invoices = child_routes::<InvoiceDetails>("invoices").with_state(children);
    Ok(finish(invoices.merge(downloads)))
}
