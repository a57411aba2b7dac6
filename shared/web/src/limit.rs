use axum::{
    extract::{Request, State},
    http::{HeaderMap, header::RETRY_AFTER},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::MethodRouter,
};

use super::{Failure, client_address};
use domain::{Error, Quota};
use lambda::{Env, config::ConfigError};
use store::Store;

/// The rate limit of a function's routes, per route and client address.
#[derive(Clone, Debug)]
pub struct RateLimits {
    store: Store,
    calls: u32,
}

impl RateLimits {
    /// Reads the calls per minute from `variable`.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Malformed`] if the variable is not a whole number of at least 1.
    pub fn from_env(
        env: &Env,
        variable: &str,
        default: u32,
        store: &Store,
    ) -> Result<Self, ConfigError> {
        Ok(Self { store: store.clone(), calls: env.count(variable, default)? })
    }

    /// Returns the limit of `route`.
    pub(crate) fn of(&self, route: &'static str) -> Limiter {
        Limiter { store: self.store.clone(), route, calls: self.calls }
    }
}

/// A rate limit of a route, per client address.
#[derive(Clone, Debug)]
pub(crate) struct Limiter {
    store: Store,
    route: &'static str,
    calls: u32,
}

/// Adds a rate limit to `routes`, checked before anything else.
pub(crate) fn limited<S>(routes: MethodRouter<S>, limiter: Limiter) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    routes.layer(middleware::from_fn_with_state(limiter, check))
}

async fn check(State(limiter): State<Limiter>, request: Request, next: Next) -> Response {
    let now = lambda::now();
    let address = client_address(request.extensions()).unwrap_or("unknown");
    let counted = limiter.store.count_call(limiter.route, address, limiter.calls, now).await;
    let quota = match counted {
        Ok(quota) => quota,
        Err(error) => return Failure(error).into_response(),
    };
    let mut response = match quota.retry_after {
        Some(_) => Failure(Error::RateLimited).into_response(),
        None => next.run(request).await,
    };
    describe(response.headers_mut(), quota);
    response
}

/// Sets the rate limit headers.
fn describe(headers: &mut HeaderMap, quota: Quota) {
    headers.insert("x-ratelimit-limit", quota.limit.into());
    headers.insert("x-ratelimit-remaining", quota.remaining.into());
    headers.insert("x-ratelimit-reset", quota.reset.into());
    if let Some(seconds) = quota.retry_after {
        headers.insert(RETRY_AFTER, seconds.into());
    }
}
