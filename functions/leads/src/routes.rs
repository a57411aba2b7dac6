use domain::{Entity, Lead, LeadId, TenantKey};
use openapi::{Answer, NamedSchema, Operation, Operations, count, example, list, onboarded, view};
use schema::FromJson;
use serde_json::json;
use web::{Code, Routes};

use crate::Leads;

/// Declares the routes of this function.
pub(crate) fn routes<R: Routes<Leads, Operation>>(routes: R) -> R {
    routes
        .limited("POST /leads", crate::create, create)
        .route("GET /leads", web::list::<Lead>, || list::<Lead>("leads"))
        .route("GET /leads/count", web::count::<Lead>, || count::<Lead>("leads"))
        .route("GET /leads/{id}", web::view::<Lead>, || view::<Lead>("leads"))
        .limited("POST /leads/resend", crate::resend, resend)
        .route("POST /leads/{id}/verify", crate::verify, verify)
        .limited("GET /keys/{key}", crate::key, key)
        .limited("POST /leads/{id}/tenants", crate::convert, convert)
        .route("DELETE /leads/{id}", crate::delete_not_supported, || never("deleteLead"))
        .route("PATCH /leads", crate::update_not_supported, || never("changeLeads"))
        .route("PATCH /leads/{id}", crate::update_not_supported, || never("changeLead"))
        .route("PUT /leads/{id}", crate::update_not_supported, || never("replaceLead"))
}

/// Returns this function's operations for the OpenAPI document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    routes(Operations::default()).0
}

fn never(id: &str) -> Operation {
    Operation::new(id, "Not supported", Answer::Never)
        .description("Leads are read-only. Always answers 405.")
        .without_table()
}

fn create() -> Operation {
    let body = json!({
        "firstName": "Ada", "lastName": "Lovelace", "companyName": "Acme", "email": "ada@acme.test",
        "address": { "city": "London", "country": "GB" },
    });
    let answer = json!({
        "type": "object",
        "properties": {
            "id": LeadId::schema(),
            "key": { "type": "string", "description": "Only if `LEAD_KEY_IN_RESPONSE` is set." },
        },
        "required": ["id"],
        "additionalProperties": false,
    });
    let answer =
        NamedSchema::new("CreatedLead", answer, json!({ "id": example(Lead::SCHEMA)["id"] }));
    Operation::new("createLead", "Create a lead", Answer::One(answer))
        .description(
            "Sends a verification email. At most five emails per day are sent to one mailbox. The \
            answer does not reveal whether an email was sent.",
        )
        .body("NewLead", body)
        .error(Code::EmailTaken, "Another lead has verified this email address.")
        .links_to("/leads", "/id")
}

fn resend() -> Operation {
    let id = example(Lead::SCHEMA)["id"].clone();
    let request = json!({ "email": "ada@acme.test", "leadId": id });
    let summary = "Request another link";
    Operation::new("resendVerification", summary, Answer::Nothing)
        .description(
            "Sends an email for the verified lead of the address, otherwise for the lead with `leadId`, \
            otherwise for each different lead of the address, up to three. Its link continues the sign-up, \
            with or without a tenant. At most five emails per day are sent to one mailbox. The answer does not reveal whether an email \
            was sent.",
        )
        .body("Resend", request)
}

fn key() -> Operation {
    let answer = json!({
        "type": "object",
        "properties": {
            "key": TenantKey::schema(),
            "available": { "type": "boolean" },
            "reason": {
                "type": "string", "enum": ["taken", "reserved"],
                "description": "The reason if the key is not available.",
            },
        },
        "required": ["key", "available"],
        "additionalProperties": false,
    });
    let answer = NamedSchema::new("Key", answer, json!({ "key": "acme", "available": true }));
    let summary = "Check whether a tenant key is available";
    Operation::new("viewKey", summary, Answer::One(answer))
}

fn verify() -> Operation {
    let answer = json!({
        "type": "object",
        "properties": {
            "id": LeadId::schema(),
            "token": { "type": "string", "description": "The lead's token, a JWT." },
        },
        "required": ["id", "token"],
        "additionalProperties": false,
    });
    let id = example(Lead::SCHEMA)["id"].clone();
    let answer =
        NamedSchema::new("VerifiedLead", answer, json!({ "id": id, "token": "eyJhbGciOi…" }));
    Operation::new("verifyLead", "Verify a lead", Answer::One(answer))
        .description(
            "Authenticated with the key from an email to the lead. Can be repeated until the key expires.",
        )
        .error(Code::EmailTaken, "Another lead has verified this email address.")
}

fn convert() -> Operation {
    let body = json!({ "key": "acme", "domains": ["acme.test"] });
    let summary = "Convert a lead into a tenant";
    Operation::new("becomeTenant", summary, onboarded())
        .description("Authenticated with the lead's token. Each lead becomes at most one tenant.")
        .body("OnboardTenant", body)
        .error(Code::DomainMismatch, "The lead's email is not at one of the `domains`.")
        .error(Code::AddressMismatch, "The address differs from the lead's.")
        .error(Code::LeadAlreadyConverted, "The lead already has a tenant.")
        .error(Code::TenantKeyTaken, "Another tenant has, or had, this key.")
        .error(Code::TenantKeyReserved, "The key is reserved.")
        .links_to("/tenants", "/id")
        .tagged()
}
