//! The operations that all entities share, as served by `web`.

use serde_json::json;

use super::{Answer, NamedSchema, Operation, example, filters, patch, put};
use domain::{Child, Details, Editable, Entity, entities};
use filter::Schema;
use store::CHILDREN_OF_A_LEAD;
use web::{Backend, Code, Routes};

/// When a bulk update answers [`Code::UniqueFieldInBulk`].
pub const UNIQUE_IN_BULK: &str =
    "More than one entity matches, and the body changes a field that must be unique.";

/// Returns the named schema of an entity in lists and views.
#[must_use]
pub fn found(schema: &Schema) -> NamedSchema {
    let name = format!("{}WithRelations", schema.entity);
    NamedSchema::new(&name, super::with_relations(schema), example(schema))
}

/// Returns the noun of a kind: the plural, and the singular with its article.
fn nouns(kind: &str) -> (String, String) {
    let plural = if kind == "tenant-configs" { "configurations" } else { kind };
    let singular = plural.strip_suffix('s').unwrap_or(plural);
    let article = if singular.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    let singular = format!("{article} {singular}");
    (plural.to_owned(), singular)
}

fn counted() -> Answer {
    let count = json!({
        "type": "object",
        "properties": { "count": { "type": "integer", "minimum": 0 } },
        "required": ["count"],
        "additionalProperties": false,
    });
    Answer::One(NamedSchema::new("Count", count, json!({ "count": 7 })))
}

/// Returns the answer with a newly onboarded tenant, including all its relations.
#[must_use]
pub fn onboarded() -> Answer {
    let relations = entities::TENANT.relations;
    let names: Vec<_> = relations.iter().map(|relation| relation.name).collect();
    let mut tenant = example(&entities::TENANT);
    for relation in relations {
        let one = example(relation.schema);
        tenant[relation.name] = if relation.many { json!([one]) } else { one };
    }
    let schema = super::component(&entities::TENANT, &names);
    Answer::One(NamedSchema::new("OnboardedTenant", schema, tenant))
}

/// Describes `GET /<kind>`.
#[must_use]
pub fn list<E: Entity>(kind: &str) -> Operation {
    let entity = E::SCHEMA.entity;
    let summary = format!("List {}", nouns(kind).0);
    let example = json!({ "order": "createdOn DESC", "limit": 20 });
    let filter = filters::parameter("filter", &format!("{entity}Filter"), false, &example);
    Operation::new(format!("list{entity}s"), summary, Answer::Many(found(E::SCHEMA)))
        .description("Newest first. Eventually consistent: changes appear after about one second.")
        .query(filter)
        .paged()
}

/// Describes `GET /<kind>/count`.
#[must_use]
pub fn count<E: Entity>(kind: &str) -> Operation {
    let entity = E::SCHEMA.entity;
    let summary = format!("Count {}", nouns(kind).0);
    Operation::new(format!("count{entity}s"), summary, counted())
        .description("Eventually consistent: changes are counted after about one second.")
        .query(matching::<E>(false))
}

/// Describes `GET /<kind>/{id}`.
#[must_use]
pub fn view<E: Entity>(kind: &str) -> Operation {
    let entity = E::SCHEMA.entity;
    let summary = format!("Get {}", nouns(kind).1);
    Operation::new(format!("get{entity}"), summary, Answer::One(found(E::SCHEMA)))
        .description("Strongly consistent: an entity can be read as soon as it has been created.")
        .query(one::<E>())
}

/// Returns the `filter` parameter of an operation on one entity.
#[must_use]
pub fn one<E: Entity>() -> serde_json::Value {
    let component = format!("{}FilterById", E::SCHEMA.entity);
    filters::parameter("filter", &component, false, &json!({ "fields": ["id", "createdOn"] }))
}

fn matching<E: Entity>(required: bool) -> serde_json::Value {
    let component = format!("{}Where", E::SCHEMA.entity);
    let example = json!({ "createdOn": { "lt": "2026-01-01" } });
    filters::parameter("where", &component, required, &example)
}

/// Describes `PATCH /<kind>/{id}`.
#[must_use]
pub fn update<E: Editable>(kind: &str) -> Operation {
    let entity = E::SCHEMA.entity;
    let summary = format!("Update {}", nouns(kind).1);
    Operation::new(format!("change{entity}"), summary, Answer::Nothing)
        .description("Omitted fields keep their values.")
        .body_schema(patch::<E>())
}

/// Describes `PUT /<kind>/{id}`.
#[must_use]
pub fn replace<E: Editable>(kind: &str) -> Operation {
    let entity = E::SCHEMA.entity;
    let summary = format!("Replace {}", nouns(kind).1);
    Operation::new(format!("replace{entity}"), summary, Answer::Nothing)
        .description("Omitted optional fields are cleared.")
        .body_schema(put::<E>())
}

/// Describes `PATCH /<kind>`.
#[must_use]
pub fn update_all<E: Editable>(kind: &str) -> Operation {
    let entity = E::SCHEMA.entity;
    let (plural, _) = nouns(kind);
    let description = format!(
        "Updates up to 1,000 matching {plural}. All are validated before the first is written; writes are then applied one by one."
    );
    let summary = format!("Update {plural} in bulk");
    Operation::new(format!("change{entity}s"), summary, counted())
        .description(description)
        .query(matching::<E>(true))
        .body_schema(patch::<E>())
}

/// An error of an operation, with its description.
type OwnError = (Code, &'static str);

/// Adds the routes of a kind of children: `/<kind>`, `/<kind>/count` and `/<kind>/{id}`. `unique` is
/// the error of a write that repeats a unique value, and `state` that of a change that the state of a
/// child does not allow.
pub fn child_routes<D: Details, R: Routes<Backend, Operation>>(
    routes: R,
    kind: &str,
    unique: Option<OwnError>,
    state: Option<OwnError>,
) -> R {
    let with = |write: Operation, error: Option<OwnError>| {
        error.into_iter().fold(write, |write, (code, when)| write.error(code, when))
    };
    let with_unique = |write: Operation| with(write, unique);
    let change = |write: Operation| with(with_unique(write), state);
    let bulk = || match unique {
        Some(_) => update_all::<Child<D>>(kind).error(Code::UniqueFieldInBulk, UNIQUE_IN_BULK),
        None => update_all::<Child<D>>(kind),
    };
    let all = |method| format!("{method} /{kind}");
    let one = |method| format!("{method} /{kind}/{{id}}");
    routes
        .route(&all("GET"), web::list::<Child<D>>, || list::<Child<D>>(kind))
        .route(&format!("GET /{kind}/count"), web::count::<Child<D>>, || count::<Child<D>>(kind))
        .route(&one("GET"), web::view::<Child<D>>, || view::<Child<D>>(kind))
        .route(&one("DELETE"), web::delete::<D>, || with(delete::<D>(kind), state))
        .route(&all("POST"), web::create::<D>, || with_unique(create::<D>(kind)))
        .route(&all("PATCH"), web::update_all::<Child<D>>, || change(bulk()))
        .route(&one("PATCH"), web::update::<Child<D>>, || change(update::<Child<D>>(kind)))
        .route(&one("PUT"), web::replace::<Child<D>>, || change(replace::<Child<D>>(kind)))
}

fn create<D: Details>(kind: &str) -> Operation {
    let entity = D::SCHEMA.entity;
    let (many, one) = nouns(kind);
    let created = NamedSchema::new(entity, super::component(D::SCHEMA, &[]), example(D::SCHEMA));
    let mut given = put::<Child<D>>().example;
    given["tenantId"] = example(D::SCHEMA)["tenantId"].clone();
    let quota = format!(
        "At most {CHILDREN_OF_A_LEAD} {many} created by the tenant's lead can exist at a time."
    );
    let summary = format!("Create {one} for a tenant");
    Operation::new(format!("create{entity}"), summary, Answer::One(created))
        .description(quota)
        .body(&format!("New{entity}"), given)
        .links_to(format!("/{kind}"), "/id")
        .tagged()
}

fn delete<D: Details>(kind: &str) -> Operation {
    let id = format!("delete{}", D::SCHEMA.entity);
    Operation::new(id, format!("Delete {}", nouns(kind).1), Answer::Nothing)
        .description("Soft delete: the entity no longer appears in any answer.")
}
