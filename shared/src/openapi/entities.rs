use serde_json::{Map, Value, json};

use super::examples;
use crate::{
    domain::{InvoiceStatus, TenantStatus, nullable},
    filter::{Kind, Relation, Schema, entities},
};

/// Every entity that answers hold.
pub(super) const ALL: [&Schema; 7] = [
    &entities::LEAD,
    &entities::TENANT,
    &entities::CONTACT,
    &entities::INVOICE,
    &entities::TENANT_CONFIG,
    &entities::RESOURCE,
    &entities::ADDRESS,
];

/// What a property of an entity is, as a JSON Schema.
pub(super) fn property(schema: &Schema, name: &str, kind: Kind) -> Value {
    let value = match (schema.entity, name) {
        ("Tenant", "status") => status("TenantStatus"),
        ("Invoice", "status") => status("InvoiceStatus"),
        _ => of_kind(kind),
    };
    if schema.nullable.contains(&name) { nullable(value) } else { value }
}

/// What a value of `kind` is, as a JSON Schema.
pub(super) fn of_kind(kind: Kind) -> Value {
    match kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::Number | Kind::Money => json!({ "type": "number" }),
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Time => json!({ "type": "string", "format": "date-time" }),
        Kind::Id => json!({ "type": "string", "format": "uuid" }),
        Kind::Email => json!({ "type": "string", "format": "email" }),
        Kind::Object => json!({ "type": "object" }),
        Kind::List => json!({ "type": "array" }),
        Kind::Hosts => {
            json!({ "type": "array", "items": { "type": "string", "format": "hostname" } })
        }
    }
}

fn status(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// The statuses that entities have, as components.
pub(super) fn statuses() -> [(&'static str, Value); 2] {
    let told = |all: Vec<String>| all.join(", ");
    let tenant = TenantStatus::ALL.map(|status| format!("{} {status:?}", status.number()));
    let invoice = InvoiceStatus::ALL.map(|status| format!("{} {status:?}", status.number()));
    let (tenants, invoices) = (
        TenantStatus::ALL.map(TenantStatus::number),
        InvoiceStatus::ALL.map(InvoiceStatus::number),
    );
    [
        (
            "TenantStatus",
            json!({ "type": "integer", "enum": tenants, "description": told(tenant.to_vec()) }),
        ),
        (
            "InvoiceStatus",
            json!({ "type": "integer", "enum": invoices, "description": told(invoice.to_vec()) }),
        ),
    ]
}

fn properties(schema: &Schema) -> Map<String, Value> {
    let described = schema
        .properties
        .iter()
        .map(|(name, kind)| ((*name).to_owned(), property(schema, name, *kind)));
    described.collect()
}

/// An entity as it goes out by itself: all of its properties, and `with` those of its relations.
#[must_use]
pub fn component(schema: &Schema, with: &[&str]) -> Value {
    let mut properties = properties(schema);
    let mut required: Vec<&str> = schema.properties.iter().map(|(name, _)| *name).collect();
    for relation in schema.relations.iter().filter(|relation| with.contains(&relation.name)) {
        properties.insert(relation.name.to_owned(), related(relation, ""));
        required.push(relation.name);
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
        "examples": [examples::example(schema)],
    })
}

/// An entity as a `filter` leaves it: the properties of its `fields`, the relations of its `include`.
#[must_use]
pub fn with_relations(schema: &Schema) -> Value {
    let mut properties = properties(schema);
    for relation in schema.relations {
        properties.insert(relation.name.to_owned(), related(relation, "WithRelations"));
    }
    json!({
        "type": "object",
        "description": "`fields` leaves properties out, `include` adds relations.",
        "properties": properties,
        "additionalProperties": false,
        "examples": [examples::example(schema)],
    })
}

fn related(relation: &Relation, form: &str) -> Value {
    let reference = format!("#/components/schemas/{}{form}", relation.schema.entity);
    let one = json!({ "$ref": reference });
    if relation.many { json!({ "type": "array", "items": one }) } else { nullable(one) }
}
