//! What API Gateway finds no route for.

use shared::Error;

/// Every method of every path of the API, from the OpenAPI document.
const ROUTES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/routes.rs"));

/// What is wrong with a request of `path` that no route serves: its method, where others are served,
/// or else the path. As in the functions' routers, the path with the fewest parameters is meant.
pub(crate) fn unserved(path: &str) -> Error {
    let parameters = |template: &str| template.matches('{').count();
    let fitting = ROUTES.iter().filter(|(_, template)| fits(template, path));
    let Some((_, meant)) = fitting.min_by_key(|(_, template)| parameters(template)) else {
        return Error::NoRoute(path.to_owned());
    };
    let served = ROUTES.iter().filter(|(_, template)| template == meant);
    let methods: Vec<_> = served.map(|(method, _)| *method).collect();
    Error::MethodNotAllowed { path: path.to_owned(), allow: methods.join(", ") }
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    template.clone().count() == path.clone().count()
        && template.zip(path).all(|(wanted, part)| match wanted.starts_with('{') {
            true => !part.is_empty(),
            false => wanted == part,
        })
}
