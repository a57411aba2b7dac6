//! How a function starts: the environment, the log, then the runtime's loop.

use std::fmt::Debug;

use domain::Error;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::{Serialize, de::DeserializeOwned};
use tracing::{Instrument, field::Empty};

use crate::{Env, config::ConfigError, log};

/// Passes every event to `handle`, with the state that `build` created from the environment.
///
/// # Errors
///
/// [`ConfigError`] if the state cannot be built from the environment, or an error of the runtime.
pub async fn consume<F, E, R>(
    build: impl AsyncFnOnce(&Env) -> Result<F, ConfigError>,
    handle: impl AsyncFn(&F, E) -> Result<R, Error>,
) -> Result<(), lambda_runtime::Error>
where
    E: DeserializeOwned,
    R: Serialize,
{
    let env = start()?;
    let function = Box::pin(build(&env)).await.inspect_err(report)?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<E>| {
        let span = span(&event.context.request_id);
        Box::pin(handle(&function, event.payload)).instrument(span).await.map_err(|error| {
            tracing::error!(error = %error.with_causes(), "event failed");
            lambda_runtime::Error::from(error)
        })
    }))
    .await
}

/// Returns the span for the handling of one event.
/// [`Envelope::read_and_trace`](crate::Envelope::read_and_trace) records its IDs.
#[must_use]
pub fn span(invocation: &str) -> tracing::Span {
    tracing::info_span!(
        "event",
        faas.invocation_id = invocation,
        event.id = Empty,
        request.id = Empty,
        tenant.id = Empty,
        job.id = Empty,
    )
}

/// Reads the environment and starts the log.
///
/// # Errors
///
/// [`ConfigError`] if `LOG_LEVEL` is malformed.
pub fn start() -> Result<Env, ConfigError> {
    let env = Env::process();
    log::init(&env).inspect_err(report)?;
    Ok(env)
}

/// Logs why a function cannot start.
pub fn report(error: &impl Debug) {
    tracing::error!(?error, "the function cannot start");
}
