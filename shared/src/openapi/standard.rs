//! The operations that all entities have alike, as `shared::http` serves them.

use serde_json::json;

use super::{Answer, Operation, Shape, example, filters, patch, put};
use crate::{
    domain::{Child, Details, Editable, Entity, FromJson, NewChild},
    filter::{Schema, entities},
    store::CHILDREN_OF_A_LEAD,
};

/// What a list or a view of an entity holds.
#[must_use]
pub fn found(schema: &Schema) -> Shape {
    let name = format!("{}WithRelations", schema.entity);
    Shape::new(&name, super::with_relations(schema), example(schema))
}

fn counted() -> Answer {
    let count = json!({
        "type": "object",
        "properties": { "count": { "type": "integer", "minimum": 0 } },
        "required": ["count"],
        "additionalProperties": false,
    });
    Answer::One(Shape::new("Count", count, json!({ "count": 7 })))
}

/// A tenant just onboarded, with all of its relations.
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
    Answer::One(Shape::new("OnboardedTenant", schema, tenant))
}

/// `GET /<kind>`.
#[must_use]
pub fn list<E: Entity>(kind: &str) -> Operation {
    let (path, entity) = (format!("/{kind}"), E::SCHEMA.entity);
    let summary = format!("{entity}s, newest first, about a second behind.");
    let example = json!({ "order": "createdOn DESC", "limit": 20 });
    let filter = filters::parameter("filter", &format!("{entity}Filter"), false, &example);
    let operation = Operation::at(
        "GET",
        &path,
        format!("list{entity}s"),
        summary,
        Answer::Many(found(E::SCHEMA)),
    );
    let operation = operation.allowed::<E::View>().query(filter);
    filters::paging().into_iter().fold(operation, Operation::query)
}

/// `GET /<kind>/count`.
#[must_use]
pub fn count<E: Entity>(kind: &str) -> Operation {
    let (path, entity) = (format!("/{kind}/count"), E::SCHEMA.entity);
    let summary = format!("How many {entity}s there are, about a second behind.");
    Operation::at("GET", &path, format!("count{entity}s"), summary, counted())
        .allowed::<E::View>()
        .query(matching::<E>(false))
}

/// `GET /<kind>/{id}`.
#[must_use]
pub fn view<E: Entity>(kind: &str) -> Operation {
    let (path, entity) = (format!("/{kind}/{{id}}"), E::SCHEMA.entity);
    let summary = format!("The {entity}, as it is now.");
    Operation::at("GET", &path, format!("get{entity}"), summary, Answer::One(found(E::SCHEMA)))
        .allowed::<E::View>()
        .query(one::<E>())
}

/// The `filter` of a route whose path says which entity it is.
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

/// `PATCH /<kind>/{id}`; 409 in the case of `conflict`.
#[must_use]
pub fn change<E: Editable>(kind: &str) -> Operation {
    let (path, entity) = (format!("/{kind}/{{id}}"), E::SCHEMA.entity);
    let summary = format!("Changes what the body names of the {entity}.");
    Operation::at("PATCH", &path, format!("change{entity}"), summary, Answer::Nothing)
        .allowed::<E::Update>()
        .body(patch::<E>())
}

/// `PUT /<kind>/{id}`.
#[must_use]
pub fn replace<E: Editable>(kind: &str) -> Operation {
    let (path, entity) = (format!("/{kind}/{{id}}"), E::SCHEMA.entity);
    let summary = format!("Replaces the {entity}: what the body does not name is gone.");
    Operation::at("PUT", &path, format!("replace{entity}"), summary, Answer::Nothing)
        .allowed::<E::Update>()
        .body(put::<E>())
}

/// `PATCH /<kind>`.
#[must_use]
pub fn change_all<E: Editable>(kind: &str) -> Operation {
    let (path, entity) = (format!("/{kind}"), E::SCHEMA.entity);
    let summary = format!("Changes up to 1,000 {entity}s at once: all, or none where one refuses.");
    Operation::at("PATCH", &path, format!("change{entity}s"), summary, counted())
        .allowed::<E::Update>()
        .also::<E::View>()
        .query(matching::<E>(true))
        .body(patch::<E>())
}

/// Every operation of the children of a kind, as
/// [`child_routes`](crate::http::child_routes) serves them; 409 in the case of `conflict`.
#[must_use]
pub fn child_operations<D: Details>(kind: &str, conflict: Option<&'static str>) -> Vec<Operation> {
    let (path, entity) = (format!("/{kind}"), D::SCHEMA.entity);
    let created = Shape::new(entity, super::component(D::SCHEMA, &[]), example(D::SCHEMA));
    let mut given = put::<Child<D>>().example;
    given["tenantId"] = example(D::SCHEMA)["tenantId"].clone();
    let new = Shape::new(&format!("New{entity}"), NewChild::<D>::schema(), given);
    let create = Operation::at(
        "POST",
        &path,
        format!("create{entity}"),
        format!(
            "A new {entity} of a tenant. A lead has at most {CHILDREN_OF_A_LEAD} at a time that it made."
        ),
        Answer::One(created),
    );
    let create = create.allowed::<D::Create>().body(new).yields(&path, "/id");
    let gone = format!("Deletes the {entity}: it is out of sight from then on.");
    let by_id = format!("/{kind}/{{id}}");
    let delete = Operation::at("DELETE", &by_id, format!("delete{entity}"), gone, Answer::Nothing)
        .allowed::<D::Delete>();
    let writes =
        [create, change_all::<Child<D>>(kind), change::<Child<D>>(kind), replace::<Child<D>>(kind)];
    let writes = writes.map(|write| conflict.into_iter().fold(write, Operation::conflict));
    let reads = [list::<Child<D>>(kind), count::<Child<D>>(kind), view::<Child<D>>(kind), delete];
    reads.into_iter().chain(writes).collect()
}
