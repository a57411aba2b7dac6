use serde_json::{Map, Value, json};

use super::entities::of_kind;
use filter::{Kind, Schema};
use schema::nullable;

/// Returns a query parameter in its JSON form. Clients may use bracket notation
/// (`filter[where][key]=acme`) instead.
pub(super) fn parameter(name: &str, component: &str, required: bool, example: &Value) -> Value {
    let schema = json!({ "$ref": format!("#/components/schemas/{component}") });
    json!({
        "name": name,
        "required": required,
        "description": "As JSON or in bracket notation, for example `filter[where][key]=acme`.",
        "content": { "application/json": { "schema": schema, "example": example } },
    })
}

/// Returns the parameters that page through a list.
pub(super) fn paging() -> [Value; 2] {
    [
        json!({
            "name": "limit",
            "description": "Maximum number of items on a page. A page also ends at 4 MB of JSON. Can be \
                given in the filter instead.",
            "schema": { "type": "integer", "minimum": 1, "maximum": 1000, "default": 100 },
        }),
        cursor(),
    ]
}

/// Returns the parameter that continues a list.
pub(super) fn cursor() -> Value {
    json!({
        "name": "cursor",
        "description": "Opaque cursor from the `Link` header of the previous page. Send it unchanged.",
        "schema": { "type": "string" },
    })
}

/// Returns the schemas of an entity's filters.
pub(super) fn components(schema: &Schema) -> [(String, Value); 4] {
    let entity = schema.entity;
    let of = |form: &str| json!({ "$ref": format!("#/components/schemas/{entity}{form}") });
    let shared = json!({
        "order": order(schema),
        "limit": { "type": "integer", "minimum": 1, "maximum": 1000, "default": 100 },
        "skip": { "type": "integer", "minimum": 0, "maximum": u32::MAX },
        "fields": of("Fields"),
        "include": include(schema),
    });
    let by_id = json!({ "fields": of("Fields"), "include": include(schema) });
    let mut listed = shared;
    listed["where"] = of("Where");
    let object = |properties: Value| json!({ "type": "object", "properties": properties, "additionalProperties": false });
    [
        (format!("{entity}Where"), conditions(schema)),
        (format!("{entity}Fields"), fields(schema)),
        (format!("{entity}Filter"), object(listed)),
        (format!("{entity}FilterById"), object(by_id)),
    ]
}

fn conditions(schema: &Schema) -> Value {
    let some = json!({
        "type": "array",
        "items": { "$ref": format!("#/components/schemas/{}Where", schema.entity) },
        "description": "An empty array or condition is ignored; a bulk update refuses it.",
    });
    let mut properties =
        Map::from_iter([("and".to_owned(), some.clone()), ("or".to_owned(), some)]);
    for (name, kind) in schema.properties {
        let condition = json!({ "$ref": format!("#/components/schemas/{kind:?}Condition") });
        properties.insert((*name).to_owned(), condition);
    }
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

fn fields(schema: &Schema) -> Value {
    let names: Vec<_> = schema.properties.iter().map(|(name, _)| *name).collect();
    let each = names.iter().map(|name| ((*name).to_owned(), json!({ "type": "boolean" })));
    json!({ "anyOf": [
        { "type": "array", "items": { "type": "string", "enum": names } },
        { "type": "object", "properties": each.collect::<Map<_, _>>(), "additionalProperties": false },
    ] })
}

fn order(schema: &Schema) -> Value {
    let ordered = |kind: Kind| kind.is_ordered() || kind == Kind::Boolean;
    let names = schema.properties.iter().filter(|(_, kind)| ordered(*kind));
    let parts: Vec<_> = names
        .flat_map(|(name, _)| [(*name).to_owned(), format!("{name} ASC"), format!("{name} DESC")])
        .collect();
    let part = json!({ "type": "string", "enum": parts });
    let description = "Each property at most once.";
    json!({
        "description": description,
        "anyOf": [part, { "type": "array", "items": part, "maxItems": 1 }],
        "default": "createdOn DESC",
    })
}

fn include(schema: &Schema) -> Value {
    let name = |name: &str| json!({ "type": "string", "enum": [name] });
    let whole = schema.relations.iter().map(|relation| name(relation.name));
    let scoped = schema.relations.iter().map(|relation| {
        let filter = format!("#/components/schemas/{}Filter", relation.schema.entity);
        json!({
            "type": "object",
            "properties": { "relation": name(relation.name), "scope": { "$ref": filter } },
            "required": ["relation"],
            "additionalProperties": false,
        })
    });
    let one: Vec<_> = whole.chain(scoped).collect();
    if one.is_empty() {
        return json!({ "type": "array", "maxItems": 0 });
    }
    let once = schema.relations.iter().map(|relation| {
        let named = json!({ "const": relation.name });
        let scoped = json!({
            "type": "object", "properties": { "relation": named }, "required": ["relation"],
        });
        json!({ "contains": { "anyOf": [named, scoped] }, "minContains": 0, "maxContains": 1 })
    });
    json!({
        "description": "Each relation at most once, up to three levels deep. Requires the permission to \
            view the included entity. A to-many relation has at most 1,000 items and 1 MB for each entity \
            (a quarter of that inside another to-many relation); `X-Truncated` names incomplete relations.",
        "type": "array",
        "items": { "anyOf": one },
        "allOf": once.collect::<Vec<_>>(),
    })
}

/// Returns the schemas of conditions on a property, by its kind.
pub(super) fn conditions_of_kinds() -> Vec<(String, Value)> {
    let kinds = [
        Kind::Text,
        Kind::Number,
        Kind::Money,
        Kind::Boolean,
        Kind::Time,
        Kind::Day,
        Kind::Id,
        Kind::Email,
        Kind::Object,
        Kind::List,
        Kind::Hosts,
    ];
    kinds.map(|kind| (format!("{kind:?}Condition"), condition(kind))).into()
}

fn condition(kind: Kind) -> Value {
    let some = match kind {
        Kind::Time | Kind::Day => json!({ "anyOf": [
            { "type": "string", "format": "date-time" }, { "type": "string", "format": "date" },
        ] }),
        Kind::Email => json!({ "type": "string" }),
        Kind::Hosts => json!({ "type": "array", "items": { "type": "string" } }),
        Kind::Text
        | Kind::Number
        | Kind::Money
        | Kind::Boolean
        | Kind::Id
        | Kind::Object
        | Kind::List => of_kind(kind),
    };
    let any = nullable(some.clone());
    let many = json!({ "type": "array", "items": any, "maxItems": 1000 });
    let mut operators = Map::from_iter([
        ("eq".to_owned(), any.clone()),
        ("neq".to_owned(), any.clone()),
        ("inq".to_owned(), many.clone()),
        ("nin".to_owned(), many),
        ("exists".to_owned(), json!({ "type": "boolean" })),
    ]);
    if kind.is_ordered() {
        for operator in ["gt", "gte", "lt", "lte"] {
            operators.insert(operator.to_owned(), some.clone());
        }
        let two = json!({ "type": "array", "items": some, "minItems": 2, "maxItems": 2 });
        operators.insert("between".to_owned(), two);
    }
    if matches!(kind, Kind::Text | Kind::Id | Kind::Email) {
        let pattern = json!({
            "type": "string", "maxLength": 1000, "description": "`%` matches any text, `_` any single character.",
        });
        for operator in ["like", "nlike", "ilike", "nilike"] {
            operators.insert(operator.to_owned(), pattern.clone());
        }
        let regexp = json!({
            "type": "string", "maxLength": 1000, "format": "regex",
            "description": "`/pattern/flags` or a pattern. Look-around and backreferences aren't supported.",
        });
        operators.insert("regexp".to_owned(), regexp);
    }
    if kind == Kind::Hosts {
        let one = json!({ "type": "string" });
        let many = json!({ "type": "array", "items": one, "maxItems": 1000 });
        operators.insert("contains".to_owned(), json!({ "anyOf": [one, many] }));
    }
    let operators = json!({
        "type": "object",
        "properties": operators,
        "minProperties": 1,
        "additionalProperties": false,
    });
    // An object value would be read as operators, so it needs an operator such as `eq`.
    if kind == Kind::Object { operators } else { json!({ "anyOf": [any, operators] }) }
}
