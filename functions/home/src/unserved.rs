//! What API Gateway finds no route for.

use shared::Error;

/// Every method of every path of the API, from the OpenAPI document.
const ROUTES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/routes.rs"));

/// What is wrong with a request of `path` that no route serves: its method, where others are served,
/// or else the path.
pub(crate) fn unserved(path: &str) -> Error {
    let fitting = ROUTES.iter().filter(|(_, template)| fits(template, path));
    let mut methods: Vec<_> = fitting.map(|(method, _)| *method).collect();
    if methods.is_empty() {
        return Error::NoRoute(path.to_owned());
    }
    methods.sort_unstable();
    methods.dedup();
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
