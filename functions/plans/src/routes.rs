use domain::{Entity, Plan, PlanDetails};
use openapi::{
    Answer, NamedSchema, Operation, Operations, component, count, example, list, put, replace,
    update, update_all, view,
};
use schema::FromJson;
use serde_json::Value;
use web::{Code, Routes};

use crate::{Plans, catalog, editing};

/// Declares the routes of this function.
pub(crate) fn routes<R: Routes<Plans, Operation>>(routes: R) -> R {
    routes
        .limited("GET /catalog", catalog::catalog, catalog)
        .route("POST /plans", crate::create, create)
        .route("GET /plans", web::list::<Plan>, || seen_by_leads(list::<Plan>("plans")))
        .route("GET /plans/count", web::count::<Plan>, || seen_by_leads(count::<Plan>("plans")))
        .route("GET /plans/{id}", crate::view, || shown_to_leads(view::<Plan>("plans")))
        .route("PATCH /plans/{id}", editing::update, || revised(update::<Plan>("plans")))
        .route("PATCH /plans", editing::update_all, || update_all::<Plan>("plans"))
        .route("PUT /plans/{id}", editing::replace, || revised(replace::<Plan>("plans")))
        .route("DELETE /plans/{id}", crate::delete, delete)
        .route("POST /plans/{id}/activate", crate::activate, activate)
        .route("POST /plans/{id}/archive", crate::archive, archive)
}

/// Returns this function's operations for the OpenAPI document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    routes(Operations::default()).0
}

fn seen_by_leads(operation: Operation) -> Operation {
    operation.description(
        "A lead sees the public active plans only, without `metaData`. Lists and counts are eventually \
        consistent: changes appear after about one second.",
    )
}

fn shown_to_leads(operation: Operation) -> Operation {
    operation.description(
        "A lead sees the public active plans only, without `metaData`. Any other plan is answered with 403. \
        Strongly consistent: a plan can be read as soon as it has been created.",
    )
}

fn revised(operation: Operation) -> Operation {
    operation.description(
        "Other terms of a plan that was active once are a new `revision`. Existing subscriptions keep their \
        terms, even when they renew. The tier must be one of `TIERS`, compared without case.",
    )
}

fn catalog() -> Operation {
    let shown = |name: &str| catalog::SHOWN.contains(&name);
    let mut schema = component(Plan::SCHEMA, &[]);
    let mut plan = example(Plan::SCHEMA);
    for members in [&mut schema["properties"], &mut plan] {
        if let Some(members) = members.as_object_mut() {
            members.retain(|name, _| shown(name));
        }
    }
    schema["required"] = catalog::SHOWN.as_slice().into();
    schema["examples"] = Value::from(vec![plan.clone()]);
    let offered = NamedSchema::new("OfferedPlan", schema, plan);
    Operation::new("catalog", "List the plans on offer", Answer::Many(offered))
        .description("The public active plans, the cheapest first. May be cached for 60 seconds.")
}

fn create() -> Operation {
    let plan = NamedSchema::new("Plan", component(Plan::SCHEMA, &[]), example(Plan::SCHEMA));
    let mut schema = PlanDetails::schema();
    let given = put::<Plan>().example;
    schema["examples"] = Value::from(vec![given.clone()]);
    Operation::new("createPlan", "Create a plan", Answer::One(plan))
        .description(
            "Creates a draft. Activate it to put it on offer. The tier must be one of `TIERS`, compared \
            without case.",
        )
        .body_schema(NamedSchema::new("NewPlan", schema, given))
        .links_to("/plans", "/id")
        .tagged()
}

fn delete() -> Operation {
    Operation::new("deletePlan", "Delete a plan", Answer::Nothing)
        .description("Soft delete: the plan no longer appears in any answer.")
        .error(Code::PlanInUse, "A tenant subscribed to the plan. Archive it.")
}

fn activate() -> Operation {
    Operation::new("activatePlan", "Activate a plan", Answer::Nothing).description(
        "New subscribers can have the plan. A public plan appears in the catalog; the first one opens the \
        catalog for good (`LEAD_PLANS`).",
    )
}

fn archive() -> Operation {
    Operation::new("archivePlan", "Archive a plan", Answer::Nothing).description(
        "The plan takes no new subscribers. Its subscriptions go on, and it can be activated again.",
    )
}
