use std::fmt::Debug;

use serde_json::{Map, Value, json};

use super::examples;
use domain::{
    BillingCycle, Features, InvoiceStatus, Isolation, NonPayment, Phase, PlanState, Previous,
    Suspension, TenantStatus, Word, entities,
};
use filter::{Kind, Relation, Schema};
use schema::{FromJson, nullable};

/// All entities in answers.
pub(super) const ALL: [&Schema; 10] = [
    &entities::LEAD,
    &entities::TENANT,
    &entities::CONTACT,
    &entities::INVOICE,
    &entities::TENANT_CONFIG,
    &entities::RESOURCE,
    &entities::SUBSCRIPTION,
    &entities::OPERATOR,
    &entities::PLAN,
    &entities::ADDRESS,
];

/// Returns the JSON Schema of an entity's property.
pub(super) fn property(schema: &Schema, name: &str, kind: Kind) -> Value {
    let value = match (schema.entity, name) {
        ("Tenant", "status") => status("TenantStatus"),
        ("Invoice", "status") => status("InvoiceStatus"),
        ("Tenant", "suspension") => Suspension::schema(),
        ("Tenant", "previous") => Previous::schema(),
        ("Plan", "state") => <PlanState as Word>::schema(),
        ("Plan", "isolation") => <Isolation as Word>::schema(),
        ("Plan", "effectOfNonPayment") => <NonPayment as Word>::schema(),
        ("Plan", "billingCycle") => BillingCycle::schema(),
        ("Plan", "features") => Features::schema(),
        ("Subscription", "status") => subscription_status(),
        ("Subscription", "phase") => <Phase as FromJson>::schema(),
        _ => of_kind(kind),
    };
    if schema.nullable.contains(&name) { nullable(value) } else { value }
}

/// Returns the JSON Schema of a value of `kind`.
pub(super) fn of_kind(kind: Kind) -> Value {
    match kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::Number | Kind::Money => json!({ "type": "number" }),
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Time | Kind::Day => json!({ "type": "string", "format": "date-time" }),
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

/// Returns the schema of a subscription's status, which follows from its phase.
fn subscription_status() -> Value {
    let meaning = "0 pending; 1 trialing, active or past due; 2 suspended; 3 cancelled; 4 expired.";
    json!({ "type": "integer", "enum": [0, 1, 2, 3, 4], "description": meaning })
}

/// Returns the statuses of entities as components.
pub(super) fn statuses() -> [(&'static str, Value); 2] {
    [
        ("TenantStatus", numbered(TenantStatus::ALL, TenantStatus::number)),
        ("InvoiceStatus", numbered(InvoiceStatus::ALL, InvoiceStatus::number)),
    ]
}

/// Returns the schema of an enumeration that is a number on the wire.
fn numbered<T: Copy + Debug>(all: &[T], number: fn(T) -> u8) -> Value {
    let numbers: Vec<u8> = all.iter().copied().map(number).collect();
    let names: Vec<String> =
        all.iter().map(|value| format!("{} {value:?}", number(*value))).collect();
    json!({ "type": "integer", "enum": numbers, "description": names.join(", ") })
}

fn properties(schema: &Schema) -> Map<String, Value> {
    let described = schema
        .properties
        .iter()
        .map(|(name, kind)| ((*name).to_owned(), property(schema, name, *kind)));
    described.collect()
}

/// Returns the schema of an entity with all its properties and the relations in `with`.
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

/// Returns the schema of a filtered entity: the properties in `fields` and the relations in
/// `include`.
#[must_use]
pub fn with_relations(schema: &Schema) -> Value {
    let mut properties = properties(schema);
    for relation in schema.relations {
        properties.insert(relation.name.to_owned(), related(relation, "WithRelations"));
    }
    json!({
        "type": "object",
        "description": "`fields` omits properties; `include` adds relations.",
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
