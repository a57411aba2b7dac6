use domain::BuildReport;
use openapi::{Answer, NamedSchema, Operation};
use schema::FromJson;
use serde_json::json;

/// The routes of this function, as the OpenAPI document describes them.
#[must_use]
pub fn operations() -> Vec<Operation> {
    let body = json!({
        "initiatorId": "019aad7e-5f6b-7a51-8c0d-3f2b1e9a4c60",
        "type": 0,
        "data": {
            "status": 1,
            "resources": [{ "type": "bucket", "externalIdentifier": "acme-files" }],
            "appPlaneUrl": "https://acme.example.test",
        },
    });
    let summary = "A build reports how a job ended; the same message again changes nothing.";
    let report = Operation::new("POST /webhook", "reportJob", summary, Answer::Nothing)
        .signed()
        .limited()
        .body(NamedSchema::new("Message", BuildReport::schema(), body))
        .conflict("The job is closed with another outcome.");
    vec![report]
}
