use openapi::{Answer, NamedSchema, Operation};
use serde_json::json;

/// Returns this function's operations for the OpenAPI document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    let html = || Answer::File("text/html");
    let text = json!({ "type": "string" });
    let ping = json!({
        "type": "object",
        "properties": {
            "greeting": text,
            "date": { "type": "string", "format": "date-time" },
            "url": text,
            "headers": { "type": "object", "additionalProperties": text },
        },
        "required": ["greeting", "date", "url", "headers"],
        "additionalProperties": false,
    });
    let answer = json!({
        "greeting": "Hello from Tenantry", "date": "2026-11-23T17:54:06.859Z", "url": "/ping",
        "headers": { "accept": "*/*" },
    });
    let ping = NamedSchema::new("Ping", ping, answer);
    let document =
        NamedSchema::new("Document", json!({ "type": "object" }), json!({ "openapi": "3.1.0" }));
    let validate = "Open the page behind a verification link";
    [
        Operation::new("GET /", "home", "Open the home page", html()),
        Operation::new("GET /ping", "ping", "Check the health", Answer::One(ping)),
        Operation::new(
            "GET /openapi.json",
            "document",
            "Get the OpenAPI document",
            Answer::One(document),
        ),
        Operation::new("GET /explorer", "explorer", "Open the API explorer", html()),
        Operation::new("GET /validate/{leadId}", "validate", validate, html()),
        Operation::new("GET /signup", "signup", "Open the sign-up page", html()),
        Operation::new("GET /console", "console", "Open the operators' console", html()),
        Operation::new(
            "GET /assets/{file}",
            "asset",
            "Get an asset of a page",
            Answer::File("*/*"),
        ),
    ]
    .map(Operation::without_table)
    .into()
}
