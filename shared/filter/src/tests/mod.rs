//! Filters over example items.

mod bounds;
mod forms;
mod operators;
mod queries;
mod random;
mod refused;
mod shape;
mod wire;

use serde_json::{Map, Value, json};

use super::{Filter, Kind, Relation, Schema};

/// An entity with a property of every kind.
static ITEM: Schema = Schema {
    entity: "Item",
    view: &[],
    properties: &[
        ("id", Kind::Id),
        ("name", Kind::Text),
        ("size", Kind::Number),
        ("price", Kind::Money),
        ("open", Kind::Boolean),
        ("createdOn", Kind::Time),
        ("tags", Kind::List),
        ("email", Kind::Email),
        ("hosts", Kind::Hosts),
        ("meta", Kind::Object),
    ],
    nullable: &[],
    relations: &[
        Relation { name: "parts", schema: &PART, many: true },
        Relation { name: "owner", schema: &ITEM, many: false },
    ],
};

static PART: Schema = Schema {
    entity: "Part",
    view: &[7, 8],
    properties: &[("id", Kind::Id), ("weight", Kind::Number), ("createdOn", Kind::Time)],
    nullable: &[],
    relations: &[Relation { name: "item", schema: &ITEM, many: false }],
};

const IDS: [&str; 5] = [
    "01890000-0000-7000-8000-00000000000a",
    "01890000-0000-7000-8000-00000000000b",
    "01890000-0000-7000-8000-00000000000c",
    "01890000-0000-7000-8000-00000000000d",
    "01890000-0000-7000-8000-00000000000e",
];

/// Five items. Items `a` to `d` have values, and `e` has only an ID and a name.
fn items() -> Vec<Map<String, Value>> {
    let item = |value: Value| value.as_object().unwrap().clone();
    [
        json!({ "id": IDS[0], "name": "Acme", "size": 1, "price": "12345678901234567.89",
                "open": true, "createdOn": "2026-01-01T00:00:00.000Z", "tags": ["x"],
                "email": "Ada@Acme.test", "hosts": ["acme.test", "a.acme.test"],
                "meta": { "a": 1, "b": [null, "c"] } }),
        json!({ "id": IDS[1], "name": "acme ltd", "size": 2, "price": "12345678901234567.90",
                "open": false, "createdOn": "2026-01-02T00:00:00.000Z", "tags": ["x", "y"],
                "meta": {} }),
        json!({ "id": IDS[2], "name": "100% Ünder_line", "size": 10, "price": "0.5",
                "open": true, "createdOn": "2026-01-03T12:00:00.123Z", "tags": [],
                "meta": { "a": "1" } }),
        json!({ "id": IDS[3], "name": "line\none", "size": -2.5, "price": "3",
                "open": false, "createdOn": "2026-01-04T00:00:00.000Z", "tags": ["y", "x"],
                "meta": { "b": [null, "c"], "a": 1.0 } }),
        json!({ "id": IDS[4], "name": "null", "size": null, "price": null, "open": null,
                "createdOn": null, "tags": null }),
    ]
    .map(item)
    .into()
}

/// Encodes a value for a query string.
fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Parses a filter from JSON.
fn filter(filter: &Value) -> crate::Result<Filter> {
    Filter::from_query(&format!("filter={}", encode(&filter.to_string())), &ITEM)
}

/// Returns the last letters of the IDs of the matching items, in order.
fn found(query: &str) -> String {
    let filter = Filter::from_query(query, &ITEM).unwrap_or_else(|e| panic!("{query}: {e}"));
    let last = |item: &Map<String, Value>| item["id"].as_str().and_then(|id| id.chars().last());
    filter.select(items()).iter().filter_map(last).collect()
}

/// Returns the matching items of this `where` condition, sorted by ID.
fn found_where(conditions: &str) -> String {
    let filter = format!(r#"{{"where":{conditions},"order":"id"}}"#);
    found(&format!("filter={}", encode(&filter)))
}
