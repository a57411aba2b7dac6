use domain::AuditAction;
use openapi::{Answer, NamedSchema, Operation, Operations};
use schema::nullable;
use serde_json::{Map, Value, json};
use web::{Backend, Code, Routes};

use crate::{export, list, verify, view};

/// Declares the routes of this function.
pub(crate) fn routes<R: Routes<Backend, Operation>>(routes: R) -> R {
    routes
        .route("GET /audit", list::entries, entries)
        .route("GET /audit/export", export::export, export)
        .route("GET /audit/verify", verify::verify, verify)
        .route("GET /tenants/{id}/audit", list::of_tenant, of_tenant)
}

/// Returns this function's operations for the OpenAPI document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    routes(Operations::default()).0
}

fn entries() -> Operation {
    let properties = view::ENTRY.properties.iter().map(|(name, kind)| {
        let condition = json!({ "$ref": format!("#/components/schemas/{kind:?}Condition") });
        ((*name).to_owned(), condition)
    });
    let conditions = json!({ "type": "object", "properties": properties.collect::<Map<_, _>>(),
        "additionalProperties": false });
    let filter = json!({ "type": "object", "properties": { "where": conditions },
        "additionalProperties": false });
    Operation::new("listAuditEntries", "List the audit log", Answer::Many(entry()))
        .description(
            "Newest first. `tenantId`, `chain` and `actorId` narrow what is read; the other conditions are \
            evaluated on that. Eventually consistent: changes are recorded after about one second.",
        )
        .query(json!({
            "name": "filter",
            "description": "`where`, as JSON or in bracket notation.",
            "content": { "application/json": {
                "schema": filter, "example": { "where": { "action": "tenant.updated" } },
            } },
        }))
        .paged()
        .error(Code::FilterTooBroad, "More than 10,000 entries would be read. Narrow `where`.")
}

fn of_tenant() -> Operation {
    let summary = "List a tenant's audit log";
    Operation::new("listTenantAuditEntries", summary, Answer::Many(entry()))
        .description("Newest first, also for a deleted tenant.")
        .paged()
}

fn export() -> Operation {
    let text = |name: &str, description: &str, format: &str| {
        json!({ "name": name, "description": description,
            "schema": { "type": "string", "format": format } })
    };
    let summary = "Export the audit log";
    Operation::new("exportAuditLog", summary, Answer::File(&["application/x-ndjson", "text/csv"]))
        .description(
            "Newest first, up to 5,000 entries and 4 MB a page, with a link to the next page. As CSV, the \
            media type is `text/csv`, and only the first page has a header. The export is itself recorded.",
        )
        .query(text("tenantId", "Only the entries of this tenant.", "uuid"))
        .query(text("from", "The earliest time.", "date-time"))
        .query(text("to", "The time before which entries were made.", "date-time"))
        .query(json!({
            "name": "format",
            "description": "One entry as JSON on each line, or comma-separated values.",
            "schema": { "type": "string", "enum": ["jsonl", "csv"], "default": "jsonl" },
        }))
        .continued()
        .error(Code::FilterTooBroad, "More than 10,000 entries would be read for a page.")
}

fn verify() -> Operation {
    let number = || nullable(json!({ "type": "integer", "minimum": 1 }));
    let schema = json!({
        "type": "object",
        "properties": {
            "chain": { "type": "string" },
            "from": number(),
            "to": number(),
            "entries": { "type": "integer", "minimum": 0 },
            "ok": { "type": "boolean" },
            "brokenAt": number(),
        },
        "required": ["chain", "from", "to", "entries", "ok", "brokenAt"],
        "additionalProperties": false,
    });
    let example = json!({ "chain": "leads", "from": 1, "to": 42, "entries": 42, "ok": true,
        "brokenAt": null });
    let verification = NamedSchema::new("AuditVerification", schema, example);
    Operation::new("verifyAuditLog", "Verify a chain of the audit log", Answer::One(verification))
        .description(
            "Checks the MAC of each entry and that none is missing, oldest first: 10,000 entries a call, with \
            a link to the rest. `from` is the first entry that retention kept. `brokenAt` is the first entry \
            that is missing or not genuine. Give `chain` or `tenantId`.",
        )
        .query(json!({
            "name": "chain",
            "description": "`tenant:<id>`, `leads`, `plans`, `operators` or `system`.",
            "schema": { "type": "string", "maxLength": 100 },
        }))
        .query(json!({
            "name": "tenantId",
            "description": "The tenant whose chain is verified.",
            "schema": { "type": "string", "format": "uuid" },
        }))
        .continued()
}

/// An entry as it is answered.
fn entry() -> NamedSchema {
    let text = json!({ "type": "string" });
    let maybe = || nullable(json!({ "type": "string" }));
    let object = |properties: Value| {
        let names = properties.as_object().into_iter().flatten().map(|(name, _)| name.clone());
        let names: Vec<_> = names.collect();
        json!({ "type": "object", "required": names, "properties": properties,
            "additionalProperties": false })
    };
    let actions: Vec<_> = AuditAction::ALL.iter().map(|action| action.name()).collect();
    let change = json!({
        "type": "object",
        "properties": {
            "path": { "type": "string", "description": "A JSON Pointer to the changed value (RFC 6901)." },
            "from": { "description": "The value before. Absent if there was none." },
            "to": { "description": "The value after. Absent if there is none." },
            "personal": { "const": true, "description": "The values are a person's and not shown." },
            "secret": { "const": true, "description": "The values may be secret and are not shown." },
        },
        "required": ["path"],
        "additionalProperties": false,
        "description": "Of a value over 1,024 bytes, `from` and `to` have `sha256` and `bytes` instead.",
    });
    let mut actor = object(json!({
        "type": { "type": "string", "enum": ["operator", "machine", "lead", "build", "system"] },
        "id": maybe(),
    }));
    actor["properties"]["name"] = json!({
        "type": "string",
        "description": "The present name of an operator that signed in, for callers that may view operators. \
                        In lists only, and no part of what `mac` covers.",
    });
    let schema = object(json!({
        "chain": text,
        "seq": { "type": "integer", "minimum": 1, "description": "The place in the chain." },
        "id": text,
        "time": { "type": "string", "format": "date-time" },
        "actor": actor,
        "via": { "type": "string", "enum": ["console", "api", "lead", "build", "system"] },
        "action": { "type": "string", "enum": actions },
        "target": object(json!({ "type": text, "id": maybe(), "name": maybe() })),
        "tenantId": maybe(),
        "changes": { "type": "array", "items": change },
        "reason": maybe(),
        "request": object(json!({ "id": maybe(), "ip": maybe(), "agent": maybe() })),
        "key": { "type": "string", "description": "The ID of the key that signs the entry." },
        "prev": maybe(),
        "mac": text,
    }));
    NamedSchema::new("AuditEntry", schema, example())
}

fn example() -> Value {
    let tenant = "019aad7e-9c01-7d0e-b1f0-55a1c2e4d7f8";
    json!({
        "chain": format!("tenant:{tenant}"),
        "seq": 7,
        "id": format!("tenant#{tenant}#4"),
        "time": "2026-11-24T12:00:00.000Z",
        "actor": { "type": "operator", "id": "ada" },
        "via": "api",
        "action": "tenant.updated",
        "target": { "type": "tenant", "id": tenant, "name": "acme" },
        "tenantId": tenant,
        "changes": [{ "path": "/name", "from": "Acme", "to": "Acme Inc." }],
        "reason": null,
        "request": { "id": "Q3xYzjKqDoEEJ9g=", "ip": "203.0.113.0", "agent": "curl/8.5.0" },
        "key": "k1",
        "prev": "5f1d…",
        "mac": "c08a…",
    })
}
