//! `/audit`, `/tenants/{id}/audit`: lists, exports and verifies the audit log.

mod export;
mod list;
mod names;
mod routes;
mod verify;
mod view;

pub use routes::operations;

use axum::Router;
use lambda::{Env, config::ConfigError};
use web::{Backend, Served, finish};

/// Returns the router of this function, with the routes that `template.yaml` declares.
///
/// # Errors
///
/// [`ConfigError`] if a variable is missing or malformed.
pub async fn router(env: &Env) -> Result<Router, ConfigError> {
    let served = Served::new(Backend::from_env(env).await?);
    Ok(finish(routes::routes(served).into_router()))
}
