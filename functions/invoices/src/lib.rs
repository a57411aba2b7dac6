//! `/invoices`: the invoices of tenants, and their PDFs.

mod download;
mod operations;
pub mod pdf;

pub use operations::operations;

use std::sync::Arc;

use axum::{Router, extract::FromRef, routing::get};
use domain::InvoiceDetails;
use lambda::{Env, config::ConfigError, token::Tokens};
use store::Store;
use web::{Children, child_routes, finish};

/// The state of the download handlers.
#[derive(Clone, Debug, FromRef)]
struct Downloads {
    store: Store,
    tokens: Tokens,
    issuer: Issuer,
}

/// The issuer named on invoices (`APP_NAME`).
#[derive(Clone, Debug)]
struct Issuer(Arc<str>);

/// Returns the router of this function, with the routes that `template.yaml` declares.
///
/// # Errors
///
/// [`ConfigError`] if a variable is missing or malformed.
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
