//! The operations that all entities share, as served by `web`.

use serde_json::json;

use super::{Answer, NamedSchema, Operation, example, filters, patch, put};
use domain::{Child, Details, Entity, NewChild, entities};
use filter::Schema;
use schema::FromJson;
use store::{CHILDREN_OF_A_LEAD, Listed, Writable};
use web::Code;

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
    let plural = kind.replace('-', " ");
    let singular = plural.strip_suffix('s').unwrap_or(&plural);
    let article = if singular.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    let singular = format!("{article} {singular}");
    (plural, singular)
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
pub fn list<E: Listed>(kind: &str) -> Operation {
    let (path, entity) = (format!("/{kind}"), E::SCHEMA.entity);
    let summary = format!("List {}", nouns(kind).0);
    let example = json!({ "order": "createdOn DESC", "limit": 20 });
    let filter = filters::parameter("filter", &format!("{entity}Filter"), false, &example);
    let operation = Operation::at(
        "GET",
        &path,
        format!("list{entity}s"),
        summary,
        Answer::Many(found(E::SCHEMA)),
    );
    let operation = operation
        .description("Newest first. Eventually consistent: changes appear after about one second.")
        .handler(&web::list::<E>)
        .query(filter);
    filters::paging().into_iter().fold(operation, Operation::query)
}

/// Describes `GET /<kind>/count`.
#[must_use]
pub fn count<E: Listed>(kind: &str) -> Operation {
    let (path, entity) = (format!("/{kind}/count"), E::SCHEMA.entity);
    let summary = format!("Count {}", nouns(kind).0);
    Operation::at("GET", &path, format!("count{entity}s"), summary, counted())
        .description("Eventually consistent: changes are counted after about one second.")
        .handler(&web::count::<E>)
        .query(matching::<E>(false))
}

/// Describes `GET /<kind>/{id}`.
#[must_use]
pub fn view<E: Listed>(kind: &str) -> Operation {
    let (path, entity) = (format!("/{kind}/{{id}}"), E::SCHEMA.entity);
    let summary = format!("Get {}", nouns(kind).1);
    Operation::at("GET", &path, format!("get{entity}"), summary, Answer::One(found(E::SCHEMA)))
        .description("Strongly consistent: an entity can be read as soon as it has been created.")
        .handler(&web::view::<E>)
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
pub fn update<E: Writable>(kind: &str) -> Operation {
    let (path, entity) = (format!("/{kind}/{{id}}"), E::SCHEMA.entity);
    let summary = format!("Update {}", nouns(kind).1);
    Operation::at("PATCH", &path, format!("change{entity}"), summary, Answer::Nothing)
        .description("Omitted fields keep their values.")
        .handler(&web::update::<E>)
        .body(patch::<E>())
}

/// Describes `PUT /<kind>/{id}`.
#[must_use]
pub fn replace<E: Writable>(kind: &str) -> Operation {
    let (path, entity) = (format!("/{kind}/{{id}}"), E::SCHEMA.entity);
    let summary = format!("Replace {}", nouns(kind).1);
    Operation::at("PUT", &path, format!("replace{entity}"), summary, Answer::Nothing)
        .description("Omitted optional fields are cleared.")
        .handler(&web::replace::<E>)
        .body(put::<E>())
}

/// Describes `PATCH /<kind>`.
#[must_use]
pub fn update_all<E: Writable>(kind: &str) -> Operation {
    let (path, entity) = (format!("/{kind}"), E::SCHEMA.entity);
    let (plural, _) = nouns(kind);
    let description = format!(
        "Updates up to 1,000 matching {plural}. All are validated before the first is written; writes are then applied one by one."
    );
    let summary = format!("Update {plural} in bulk");
    Operation::at("PATCH", &path, format!("change{entity}s"), summary, counted())
        .description(description)
        .handler(&web::update_all::<E>)
        .query(matching::<E>(true))
        .body(patch::<E>())
}

/// Returns the operations of a kind of children, as [`child_routes`](web::child_routes)
/// serves them. `unique` is the error of a write that
/// repeats a unique value, with its description.
#[must_use]
pub fn child_operations<D: Details>(
    kind: &str,
    unique: Option<(Code, &'static str)>,
) -> Vec<Operation> {
    let (path, entity) = (format!("/{kind}"), D::SCHEMA.entity);
    let (many, one) = nouns(kind);
    let created = NamedSchema::new(entity, super::component(D::SCHEMA, &[]), example(D::SCHEMA));
    let mut given = put::<Child<D>>().example;
    given["tenantId"] = example(D::SCHEMA)["tenantId"].clone();
    let new = NamedSchema::new(&format!("New{entity}"), NewChild::<D>::schema(), given);
    let create = Operation::at(
        "POST",
        &path,
        format!("create{entity}"),
        format!("Create {one} for a tenant"),
        Answer::One(created),
    );
    let quota = format!(
        "At most {CHILDREN_OF_A_LEAD} {many} created by the tenant's lead can exist at a time."
    );
    let create =
        create.description(quota).handler(&web::create::<D>).body(new).links_to(&path, "/id");
    let gone = format!("Delete {one}");
    let by_id = format!("/{kind}/{{id}}");
    let delete = Operation::at("DELETE", &by_id, format!("delete{entity}"), gone, Answer::Nothing)
        .description("Soft delete: the entity no longer appears in any answer.")
        .handler(&web::delete::<D>);
    let mut bulk = update_all::<Child<D>>(kind);
    if unique.is_some() {
        bulk = bulk.error(Code::UniqueFieldInBulk, UNIQUE_IN_BULK);
    }
    let writes = [create, bulk, update::<Child<D>>(kind), replace::<Child<D>>(kind)];
    let writes = writes
        .map(|write| unique.into_iter().fold(write, |write, (code, when)| write.error(code, when)));
    let reads = [list::<Child<D>>(kind), count::<Child<D>>(kind), view::<Child<D>>(kind), delete];
    reads.into_iter().chain(writes).collect()
}
