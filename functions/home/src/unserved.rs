//! Requests for which API Gateway has no route.

use domain::Error;

/// The methods and paths of the API, from the OpenAPI document.
const ROUTES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/routes.rs"));

/// Returns the error for a request of `path` that no route serves: 405 if the path has other
/// methods, 404 if not. If several paths match, the one with the fewest parameters counts, as in
/// the functions' routers.
pub(crate) fn unserved(path: &str) -> Error {
    let parameters = |template: &str| template.matches('{').count();
    let matching = ROUTES.iter().filter(|(_, template)| matches(template, path));
    let Some((_, best)) = matching.min_by_key(|(_, template)| parameters(template)) else {
        return Error::NoRoute(path.to_owned());
    };
    let served = ROUTES.iter().filter(|(_, template)| template == best);
    let methods: Vec<_> = served.map(|(method, _)| *method).collect();
    Error::MethodNotAllowed { path: path.to_owned(), allow: methods.join(", ") }
}

fn matches(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    template.clone().count() == path.clone().count()
        && template.zip(path).all(|(expected, part)| match expected.starts_with('{') {
            true => !part.is_empty(),
            false => expected == part,
        })
}
