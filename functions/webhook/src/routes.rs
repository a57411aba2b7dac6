use domain::BuildMessage;
use openapi::{Answer, NamedSchema, Operation, Operations};
use schema::FromJson;
use serde_json::json;
use web::{Code, Routes};

use crate::Webhook;

/// Declares the routes of this function.
pub(crate) fn routes<R: Routes<Webhook, Operation>>(routes: R) -> R {
    routes.limited("POST /webhook", crate::report, report)
}

/// Returns this function's operations for the OpenAPI document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    routes(Operations::default()).0
}

fn report() -> Operation {
    let body = json!({
        "initiatorId": "019aad7e-5f6b-7a51-8c0d-3f2b1e9a4c60",
        "type": 0,
        "data": {
            "status": 1,
            "resources": [{ "type": "bucket", "externalIdentifier": "acme-files" }],
            "appPlaneUrl": "https://acme.example.test",
        },
    });
    Operation::new("reportJob", "Report the outcome or the progress of a job", Answer::Nothing)
        .description(
            "Called by builds. Signed with the job's secret. Repeating a message has no further \
             effect. With `progress`, the job stays open.",
        )
        .body_schema(NamedSchema::new("Message", BuildMessage::schema(), body))
        .error(
            Code::JobContradiction,
            "The job is closed with another outcome, or is of another kind.",
        )
}
