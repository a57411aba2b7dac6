use domain::BuildReport;
use openapi::{Answer, NamedSchema, Operation};
use schema::FromJson;
use serde_json::json;
use web::Code;

/// Returns this function's operations for the OpenAPI document.
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
    let summary = "Report the outcome of a job";
    let report = Operation::new("POST /webhook", "reportJob", summary, Answer::Nothing)
        .description(
            "Called by builds. Signed with the job's secret. Repeating a report has no further effect.",
        )
        .signed()
        .limited()
        .body(NamedSchema::new("Message", BuildReport::schema(), body))
        .error(Code::JobContradiction, "The job is closed with another outcome, or is of another kind.");
    vec![report]
}
