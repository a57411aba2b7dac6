//! `/contacts`: the contacts of tenants.

mod operations;

pub use operations::operations;

use axum::Router;
use domain::ContactDetails;
use lambda::{Env, config::ConfigError};
use web::{Children, child_routes, finish};

/// Returns the router of this function, with the routes that `template.yaml` declares.
///
/// # Errors
///
/// [`ConfigError`] if a variable is missing or malformed.
pub async fn router(env: &Env) -> Result<Router, ConfigError> {
    let state = Children::from_env(env).await?;
    Ok(finish(child_routes::<ContactDetails>("contacts").with_state(state)))
}
