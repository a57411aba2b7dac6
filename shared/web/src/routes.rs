//! The table of a function's routes. Each route is declared once: the router and the OpenAPI document
//! are made from the same table.

use axum::{
    Router,
    extract::FromRef,
    handler::Handler,
    routing::{MethodFilter, MethodRouter, on},
};

use super::{Declared, RateLimits, limit::limited};

/// Collects the routes of a function whose handlers have the state `S`. `D` is a route's
/// description, as far as its handler does not declare it.
pub trait Routes<S, D>: Sized {
    /// Adds a route such as `GET /ping`.
    #[must_use]
    fn route<H, T, A>(self, route: &str, handler: H, describe: impl FnOnce() -> D) -> Self
    where
        H: Handler<T, S> + Declared<A>,
        T: 'static;

    /// Adds a route with a rate limit.
    #[must_use]
    fn limited<H, T, A>(
        self,
        route: &'static str,
        handler: H,
        describe: impl FnOnce() -> D,
    ) -> Self
    where
        H: Handler<T, S> + Declared<A>,
        T: 'static,
        RateLimits: FromRef<S>;
}

/// The routes as a router. Descriptions are never called, so the linker removes them.
#[derive(Debug)]
pub struct Served<S> {
    state: S,
    router: Router<S>,
}

impl<S: Clone + Send + Sync + 'static> Served<S> {
    /// Creates a router without routes.
    #[must_use]
    pub fn new(state: S) -> Self {
        Self { state, router: Router::new() }
    }

    /// Returns the router.
    pub fn into_router(self) -> Router {
        self.router.with_state(self.state)
    }

    fn add(self, path: &str, methods: MethodRouter<S>) -> Self {
        Self { router: self.router.route(path, methods), ..self }
    }
}

impl<S: Clone + Send + Sync + 'static, D> Routes<S, D> for Served<S> {
    fn route<H, T, A>(self, route: &str, handler: H, _: impl FnOnce() -> D) -> Self
    where
        H: Handler<T, S> + Declared<A>,
        T: 'static,
    {
        let (method, path) = parts(route);
        self.add(path, on(method, handler))
    }

    fn limited<H, T, A>(self, route: &'static str, handler: H, _: impl FnOnce() -> D) -> Self
    where
        H: Handler<T, S> + Declared<A>,
        T: 'static,
        RateLimits: FromRef<S>,
    {
        let (method, path) = parts(route);
        let limiter = RateLimits::from_ref(&self.state).of(route);
        self.add(path, limited(on(method, handler), limiter))
    }
}

/// Splits a route such as `GET /ping` into its method and its path.
fn parts(route: &str) -> (MethodFilter, &str) {
    let (method, path) = route.split_once(' ').unwrap_or(("GET", route));
    let method = match method {
        "DELETE" => MethodFilter::DELETE,
        "PATCH" => MethodFilter::PATCH,
        "POST" => MethodFilter::POST,
        "PUT" => MethodFilter::PUT,
        _ => MethodFilter::GET,
    };
    (method, path)
}
