use axum::{
    extract::{Request, State},
    http::{HeaderMap, header::RETRY_AFTER},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::MethodRouter,
};

use super::client_address;
use crate::{
    Error,
    domain::Timestamp,
    store::{RATE_WINDOW, Store},
};

/// Calls per minute, route and client address (CONTRACT §9).
#[derive(Clone, Debug)]
pub struct Limiter {
    store: Store,
    route: &'static str,
    calls: u32,
}

impl Limiter {
    /// At most `calls` a minute of `route`, counted in the table.
    #[must_use]
    pub fn new(store: Store, route: &'static str, calls: u32) -> Self {
        Self { store, route, calls }
    }
}

/// `routes` behind a limit, which is checked before anything else.
pub fn limited<S>(routes: MethodRouter<S>, limiter: Limiter) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    routes.layer(middleware::from_fn_with_state(limiter, check))
}

async fn check(State(limiter): State<Limiter>, request: Request, next: Next) -> Response {
    let now = crate::now();
    let address = client_address(request.extensions()).unwrap_or("unknown");
    let calls = match limiter.store.count_call(limiter.route, address, now).await {
        Ok(calls) => calls,
        Err(error) => return error.into_response(),
    };
    let mut response = if calls > limiter.calls {
        Error::RateLimited.into_response()
    } else {
        next.run(request).await
    };
    describe(response.headers_mut(), limiter.calls, calls, now);
    response
}

/// Says how many calls are left, and for how many seconds the window goes on.
fn describe(headers: &mut HeaderMap, limit: u32, calls: u32, now: Timestamp) {
    let reset = RATE_WINDOW - now.seconds().rem_euclid(RATE_WINDOW);
    headers.insert("x-ratelimit-limit", limit.into());
    headers.insert("x-ratelimit-remaining", limit.saturating_sub(calls).into());
    headers.insert("x-ratelimit-reset", reset.into());
    if calls > limit {
        headers.insert(RETRY_AFTER, reset.into());
    }
}
