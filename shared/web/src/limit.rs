use axum::{
    extract::{Request, State},
    http::{HeaderMap, header::RETRY_AFTER},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::MethodRouter,
};

use super::{Failure, client_address};
use domain::{Error, Quota};
use store::Store;

/// A rate limit per route and client address.
#[derive(Clone, Debug)]
pub struct Limiter {
    store: Store,
    route: &'static str,
    calls: u32,
}

impl Limiter {
    /// Limits `route` to `calls` per minute, counted by [`Store::count_call`].
    #[must_use]
    pub fn new(store: Store, route: &'static str, calls: u32) -> Self {
        Self { store, route, calls }
    }
}

/// Adds a rate limit to `routes`, checked before anything else.
pub fn limited<S>(routes: MethodRouter<S>, limiter: Limiter) -> MethodRouter<S>
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
