//! `/contacts`: whom to talk to at a tenant.

mod operations;

pub use operations::operations;

use axum::Router;
use shared::{
    Env,
    config::ConfigError,
    domain::ContactDetails,
    http::{Children, child_routes, finish},
};

/// The routes of this function, as `template.yaml` lists them.
///
/// # Errors
///
/// [`ConfigError`] naming the variable that is missing or malformed.
pub async fn router(env: &Env) -> Result<Router, ConfigError> {
    let state = Children::from_env(env).await?;
    Ok(finish(child_routes::<ContactDetails>("contacts").with_state(state)))
}
