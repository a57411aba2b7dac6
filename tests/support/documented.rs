use std::{path::Path, sync::LazyLock};

use serde_json::Value;

/// The OpenAPI document of the API.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read(tests.join("../functions/home/assets/openapi.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
});

/// Panics if the OpenAPI document does not name this status and error code for this operation.
/// Accepts every answer of a path or method that the document does not have, and 304, which answers
/// a conditional request to every file.
pub(crate) fn assert_documented(method: &str, path: &str, status: u16, body: &Value) {
    if status == 304 || body["error"]["code"] == "ROUTE_NOT_FOUND" {
        return;
    }
    let Some(operation) = operation(method, path) else { return };
    let status = status.to_string();
    assert!(
        operation["responses"][&status].is_object(),
        "{method} {path} answers {status}, which its documentation does not name: {body}"
    );
    let Some(code) = body["error"]["code"].as_str() else { return };
    let codes = operation["x-error-codes"][&status].as_array();
    assert!(
        codes.is_some_and(|codes| codes.iter().any(|known| known == code)),
        "{method} {path} answers {status} {code}, which its documentation does not name: {body}"
    );
}

fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let fits = |template: &str| {
        let (template, path) = (template.split('/'), path.split('/'));
        template.clone().count() == path.clone().count()
            && template
                .zip(path)
                .all(|(name, part)| name == part || name.starts_with('{') && !part.is_empty())
    };
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let literal_first = paths.iter().filter(|(template, _)| fits(template));
    let (_, operations) =
        literal_first.min_by_key(|(template, _)| template.matches('{').count())?;
    operations.get(method.to_ascii_lowercase())
}
