use std::convert::Infallible;

use axum::Router;
use lambda::{Env, config::ConfigError};
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::value::RawValue;

use super::HttpFunction;

/// Serves a router behind the HTTP API.
///
/// # Errors
///
/// [`ConfigError`] if the router cannot be built from the environment, or an error of the runtime.
pub async fn serve(
    build: impl AsyncFnOnce(&Env) -> Result<Router, ConfigError>,
) -> Result<(), lambda_http::Error> {
    let env = lambda::start()?;
    let function = HttpFunction::new(Box::pin(build(&env)).await.inspect_err(lambda::report)?);
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        Ok::<_, Infallible>(function.answer(&event.payload, event.context).await)
    }))
    .await
}
