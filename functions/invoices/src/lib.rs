//! `/invoices`: the invoices of tenants, and their PDFs.

mod download;
mod issuer;
pub mod pdf;
mod routes;

pub use issuer::Issuer;
pub use routes::operations;

use std::sync::Arc;

use axum::{Router, extract::FromRef};
use lambda::{Env, config::ConfigError, token::Tokens};
use store::Store;
use web::{Backend, Served, finish};

/// The state of the download handlers.
#[derive(Clone, Debug, FromRef)]
struct Downloads {
    store: Store,
    tokens: Tokens,
    issuer: Arc<Issuer>,
}

/// Returns the router of this function, with the routes that `template.yaml` declares.
///
/// # Errors
///
/// [`ConfigError`] if a variable is missing or malformed.
pub async fn router(env: &Env) -> Result<Router, ConfigError> {
    let children = Backend::from_env(env).await?;
    let downloads = Downloads {
        store: children.store.clone(),
        tokens: children.tokens.clone(),
        issuer: Arc::new(Issuer::from_env(env)?),
    };
    let downloads = routes::downloads(Served::new(downloads)).into_router();
    let invoices = routes::invoices(Served::new(children)).into_router();
    Ok(finish(invoices.merge(downloads)))
}
