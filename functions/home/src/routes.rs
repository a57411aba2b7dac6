use openapi::{Answer, NamedSchema, Operation, Operations};
use serde_json::json;
use web::Routes;

use crate::{Settings, asset, console, explorer, home, packed, ping, signup, validate};

/// Declares the routes of this function.
pub(crate) fn routes<R: Routes<Settings, Operation>>(routes: R) -> R {
    routes
        .route("GET /", home, || page("home", "Open the home page"))
        .route("GET /ping", ping::ping, ping)
        .route("GET /openapi.json", packed::document, document)
        .route("GET /explorer", explorer, || page("explorer", "Open the API explorer"))
        .route("GET /signup", signup, || page("signup", "Open the sign-up page"))
        .route("GET /validate/{leadId}", validate, || {
            page("validate", "Open the page behind a verification link")
        })
        .route("GET /console", console, || page("console", "Open the operators' console"))
        .route("GET /assets/{file}", asset, || file("asset", "Get an asset of a page", &["*/*"]))
}

/// Returns this function's operations for the OpenAPI document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    routes(Operations::default()).0
}

fn page(id: &str, summary: &str) -> Operation {
    file(id, summary, &["text/html"])
}

fn file(id: &str, summary: &str, media_types: &'static [&'static str]) -> Operation {
    Operation::new(id, summary, Answer::File(media_types)).without_table()
}

fn ping() -> Operation {
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
    let answer = Answer::One(NamedSchema::new("Ping", ping, answer));
    Operation::new("ping", "Check the health", answer).without_table()
}

fn document() -> Operation {
    let document =
        NamedSchema::new("Document", json!({ "type": "object" }), json!({ "openapi": "3.1.0" }));
    let summary = "Get the OpenAPI document";
    Operation::new("document", summary, Answer::One(document)).without_table()
}
