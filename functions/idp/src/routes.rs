use openapi::{Answer, NamedSchema, Operation, Operations};
use schema::FromJson;
use serde_json::json;
use web::{Code, Routes};

use crate::{Idp, setup::Setup};

/// Declares the routes of this function.
pub(crate) fn routes<R: Routes<Idp, Operation>>(routes: R) -> R {
    routes.limited("POST /manage/users", crate::manage, manage)
}

/// Returns this function's operations for the OpenAPI document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    routes(Operations::default()).0
}

fn manage() -> Operation {
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
                "description": "The admin's ID at the provider. Empty if the tenant has no identity provider.",
            },
        },
        "required": ["authId"],
        "additionalProperties": false,
    });
    let answer = NamedSchema::new("ManagedUser", answer, json!({ "authId": "" }));
    let summary = "Set up a tenant's identity provider";
    Operation::new("manageUsers", summary, Answer::One(answer))
        .description(
            "Creates the realm, organization or user pool, the client and the first user. Idempotent.",
        )
        .body_schema(NamedSchema::new("Setup", Setup::schema(), body))
        .error(
            Code::TenantKeyMismatch,
            "The signature is the tenant's own, and `tenant.key` is not the tenant's key.",
        )
        .calls_upstream()
}
