use openapi::{Answer, NamedSchema, Operation};
use schema::FromJson;
use serde_json::json;

use crate::setup::Setup;

/// The routes of this function, as the OpenAPI document describes them.
#[must_use]
pub fn operations() -> Vec<Operation> {
    let contact = json!({
        "firstName": "Ada", "lastName": "Lovelace", "email": "ada@acme.test", "isPrimary": true,
    });
    let body = json!({
        "tenant": {
            "id": "019aad7e-5f6b-7a51-8c0d-3f2b1e9a4c60", "name": "Acme", "key": "acme",
            "contacts": [contact],
        },
        "plan": { "tier": "PREMIUM" },
    });
    let answer = json!({
        "type": "object",
        "properties": {
            "authId": {
                "type": "string",
                "description": "The admin's id at the provider; empty where the tenant has none.",
            },
        },
        "required": ["authId"],
        "additionalProperties": false,
    });
    let answer = NamedSchema::new("ManagedUser", answer, json!({ "authId": "" }));
    let summary = "Sets a tenant up at its identity provider, or finds it so.";
    let manage = Operation::new("POST /manage/users", "manageUsers", summary, Answer::One(answer))
        .signed()
        .limited()
        .body(NamedSchema::new("Setup", Setup::schema(), body))
        .calls_upstream();
    vec![manage]
}
