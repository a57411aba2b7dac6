use domain::{Entity, Lead, LeadId, NewLead, NewResend, OnboardTenant, TenantKey};
use openapi::{Answer, NamedSchema, Operation, count, example, list, onboarded, view};
use schema::FromJson;
use serde_json::json;
use web::Code;

/// Returns this function's operations for the OpenAPI document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    let never = |route, id| {
        Operation::new(route, id, "Not supported", Answer::Never)
            .description("Leads are read-only. Always answers 405.")
            .without_table()
    };
    let edits = [
        never("PATCH /leads", "changeLeads"),
        never("PATCH /leads/{id}", "changeLead"),
        never("PUT /leads/{id}", "replaceLead"),
    ]
    .map(|edit| edit.handler(&crate::update_not_supported));
    let delete = never("DELETE /leads/{id}", "deleteLead");
    let operations = [
        create(),
        list::<Lead>("leads"),
        count::<Lead>("leads"),
        view::<Lead>("leads"),
        resend(),
        verify(),
        key(),
        convert(),
        delete.handler(&crate::delete_not_supported),
    ];
    operations.into_iter().chain(edits).collect()
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
    Operation::new("POST /leads", "createLead", "Create a lead", Answer::One(answer))
        .description(
            "Sends a verification email. At most five emails per day are sent to one mailbox. The \
            answer does not reveal whether an email was sent.",
        )
        .limited()
        .body(NamedSchema::new("NewLead", NewLead::schema(), body))
        .error(Code::EmailTaken, "Another lead has verified this email address.")
        .links_to("/leads", "/id")
}

fn resend() -> Operation {
    let id = example(Lead::SCHEMA)["id"].clone();
    let asked = json!({ "email": "ada@acme.test", "leadId": id });
    let body = NamedSchema::new("Resend", NewResend::schema(), asked);
    let summary = "Resend the verification email";
    Operation::new("POST /leads/resend", "resendVerification", summary, Answer::Nothing)
        .description(
            "Sends an email for the verified lead of the address, otherwise for the lead with `leadId`, \
            otherwise for each different lead of the address, up to three. A lead that has a tenant gets none. \
            At most five emails per day are sent to one mailbox. The answer does not reveal whether an email \
            was sent.",
        )
        .limited()
        .body(body)
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
    Operation::new("GET /keys/{key}", "viewKey", summary, Answer::One(answer)).limited()
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
    Operation::new("POST /leads/{id}/verify", "verifyLead", "Verify a lead", Answer::One(answer))
        .description(
            "Authenticated with the key from the verification email. Can be repeated until the key expires.",
        )
        .handler(&crate::verify)
        .error(Code::EmailTaken, "Another lead has verified this email address.")
}

fn convert() -> Operation {
    let body = json!({ "key": "acme", "domains": ["acme.test"] });
    let summary = "Convert a lead into a tenant";
    Operation::new("POST /leads/{id}/tenants", "becomeTenant", summary, onboarded())
        .description("Authenticated with the lead's token. Each lead becomes at most one tenant.")
        .handler(&crate::convert)
        .limited()
        .body(NamedSchema::new("OnboardTenant", OnboardTenant::schema(), body))
        .error(Code::DomainMismatch, "The lead's email is not at one of the `domains`.")
        .error(Code::AddressMismatch, "The address differs from the lead's.")
        .error(Code::LeadAlreadyConverted, "The lead already has a tenant.")
        .error(Code::TenantKeyTaken, "Another tenant has, or had, this key.")
        .error(Code::TenantKeyReserved, "The key is reserved.")
        .links_to("/tenants", "/id")
}
