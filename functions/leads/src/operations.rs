use domain::{Entity, Lead, LeadId, NewLead, NewResend, OnboardTenant, TenantKey, permit};
use openapi::{Answer, NamedSchema, Operation, count, example, list, onboarded, view};
use schema::FromJson;
use serde_json::json;

/// The routes of this function, as the OpenAPI document describes them.
#[must_use]
pub fn operations() -> Vec<Operation> {
    let never =
        |route, id, summary| Operation::new(route, id, summary, Answer::Never).without_table();
    let edits = [
        never("PATCH /leads", "changeLeads", "A lead is never edited."),
        never("PATCH /leads/{id}", "changeLead", "A lead is never edited."),
        never("PUT /leads/{id}", "replaceLead", "A lead is never edited."),
    ]
    .map(Operation::allowed::<permit::UpdateLead>);
    let delete = never("DELETE /leads/{id}", "deleteLead", "Nor is it deleted.");
    let operations = [
        create(),
        list::<Lead>("leads"),
        count::<Lead>("leads"),
        view::<Lead>("leads"),
        resend(),
        verify(),
        key(),
        convert(),
        delete.allowed::<permit::DeleteLead>(),
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
            "key": { "type": "string", "description": "With `LEAD_KEY_IN_RESPONSE` alone." },
        },
        "required": ["id"],
        "additionalProperties": false,
    });
    let answer =
        NamedSchema::new("CreatedLead", answer, json!({ "id": example(Lead::SCHEMA)["id"] }));
    let summary = "Create a lead and send a verification email. At most five emails a day are sent to one mailbox; the answer does not change.";
    Operation::new("POST /leads", "createLead", summary, Answer::One(answer))
        .limited()
        .body(NamedSchema::new("NewLead", NewLead::schema(), body))
        .conflict("A verified lead has this e-mail.")
        .links_to("/leads", "/id")
}

fn resend() -> Operation {
    let id = example(Lead::SCHEMA)["id"].clone();
    let asked = json!({ "email": "ada@acme.test", "leadId": id });
    let body = NamedSchema::new("Resend", NewResend::schema(), asked);
    let summary = "Ask for another verification email. One is sent for the verified lead of the address, otherwise for \
        the lead with `leadId`, otherwise for each different lead of the address, up to three; none for a lead that has \
        a tenant. At most five emails a day are sent to one mailbox; the answer does not change.";
    Operation::new("POST /leads/resend", "resendVerification", summary, Answer::Nothing)
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
                "description": "Why the key is not available; absent if it is.",
            },
        },
        "required": ["key", "available"],
        "additionalProperties": false,
    });
    let answer = NamedSchema::new("Key", answer, json!({ "key": "acme", "available": true }));
    let summary = "Check whether a new tenant may have this key.";
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
    let summary =
        "The key from the mail proves the address; using it again works, within its time.";
    Operation::new("POST /leads/{id}/verify", "verifyLead", summary, Answer::One(answer))
        .lead_key()
        .conflict("Another lead with this e-mail was first.")
}

fn convert() -> Operation {
    let body = json!({ "key": "acme", "domains": ["acme.test"] });
    let summary = "A verified lead becomes a tenant, once.";
    Operation::new("POST /leads/{id}/tenants", "becomeTenant", summary, onboarded())
        .lead_token()
        .limited()
        .body(NamedSchema::new("OnboardTenant", OnboardTenant::schema(), body))
        .conflict("The key is taken, or reserved (`TENANT_KEY_RESERVED`).")
        .links_to("/tenants", "/id")
}
