//! Requests for which API Gateway has no route.

use axum::{
    http::{StatusCode, Uri, header::LOCATION},
    response::{IntoResponse, Response},
};
use domain::Error;
use web::Failure;

/// The methods and paths of the API, from the OpenAPI document.
const ROUTES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/routes.rs"));

/// Returns the answer to a request that no route serves: a redirect if only slashes at the end are
/// too many, because ARC SaaS ignores them; otherwise an error.
pub(crate) fn unserved(uri: &Uri) -> Response {
    let path = uri.path().trim_end_matches('/');
    if path.len() < uri.path().len() && ROUTES.iter().any(|(_, template)| matches(template, path)) {
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let location = [(LOCATION, format!("{path}{query}"))];
        return (StatusCode::PERMANENT_REDIRECT, location).into_response();
    }
    Failure(error(uri.path())).into_response()
}

/// Returns 405 if the path has other methods, 404 if not. If several paths match, the one with the
/// fewest parameters counts, as in the functions' routers.
fn error(path: &str) -> Error {
    let parameters = |template: &str| template.matches('{').count();
    let matching = ROUTES.iter().filter(|(_, template)| matches(template, path));
    let Some((_, best)) = matching.min_by_key(|(_, template)| parameters(template)) else {
        return Error::NoRoute(path.to_owned());
    };
    let served = ROUTES.iter().filter(|(_, template)| template == best);
    let methods: Vec<_> = served.flat_map(|(method, _)| with_head(method)).collect();
    Error::MethodNotAllowed { path: path.to_owned(), allow: methods.join(", ") }
}

/// Returns the methods that a route for `method` serves.
fn with_head(method: &'static str) -> impl Iterator<Item = &'static str> {
    [method].into_iter().chain((method == "GET").then_some("HEAD"))
}

fn matches(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    template.clone().count() == path.clone().count()
        && template.zip(path).all(|(expected, part)| match expected.starts_with('{') {
            true => !part.is_empty(),
            false => expected == part,
        })
}
