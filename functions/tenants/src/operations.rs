use domain::{Entity, NewTenant, Overview, Resource, Subscription, Tenant, permit};
use openapi::{
    Answer, NamedSchema, Operation, component, count, example, list, onboarded, replace, update,
    update_all, view,
};
use schema::{FromJson, nullable};
use serde_json::{Value, json};

/// The routes of this function, as the OpenAPI document describes them.
#[must_use]
pub fn operations() -> Vec<Operation> {
    let edits = [
        update::<Tenant>("tenants"),
        update_all::<Tenant>("tenants"),
        replace::<Tenant>("tenants"),
    ]
    .map(|edit| edit.conflict("The key is taken or reserved (`TENANT_KEY_RESERVED`), or the status is another than the stored one."));
    let reads = [list::<Tenant>("tenants"), count::<Tenant>("tenants"), view::<Tenant>("tenants")];
    let jobs = [provision(), deprovision(), jobs(), job(), resources(), overview()];
    [create(), delete()].into_iter().chain(reads).chain(edits).chain(jobs).collect()
}

fn create() -> Operation {
    let body = json!({
        "key": "acme", "name": "Acme", "domains": ["acme.test"], "city": "London",
        "contact": {
            "firstName": "Ada", "lastName": "Lovelace", "email": "ada@acme.test", "isPrimary": true,
        },
    });
    let summary = "An operator onboards a tenant without a lead.";
    Operation::new("POST /tenants", "createTenant", summary, onboarded())
        .operator::<permit::CreateTenant>()
        .body(NamedSchema::new("NewTenant", NewTenant::schema(), body))
        .conflict("The key is taken, or reserved (`TENANT_KEY_RESERVED`).")
        .links_to("/tenants", "/id")
}

fn delete() -> Operation {
    let summary = "Delete a tenant and everything that it owns. Its key is not released.";
    Operation::new("DELETE /tenants/{id}", "deleteTenant", summary, Answer::Nothing)
        .allowed::<permit::DeleteTenant>()
        .conflict("A job works on it; or something is built for it (`TENANT_HAS_RESOURCES`): deprovision it first.")
}

fn provision() -> Operation {
    let body = json!({
        "id": "subscription-1", "planId": "plan-1", "startDate": "2026-11-01",
        "plan": { "id": "plan-1", "name": "Premium", "tier": "PREMIUM", "price": 49.9 },
    });
    let summary = "Opens a job that builds the tenant for a subscription.";
    Operation::new("POST /tenants/{id}/provision", "provisionTenant", summary, Answer::Job)
        .allowed::<permit::ProvisionTenant>()
        .body(NamedSchema::new("Subscription", Subscription::schema(), body))
        .conflict("The tenant is neither pending nor was its last attempt a failure.")
        .quota("A lead's tenant was built five times within 24 hours (`TOO_MANY_BUILDS`).")
}

fn deprovision() -> Operation {
    let summary =
        "Opens a job that removes what is built for a tenant, by the pipeline that built it.";
    Operation::new("POST /tenants/{id}/deprovision", "deprovisionTenant", summary, Answer::Job)
        .allowed::<permit::DeprovisionTenant>()
        .conflict("The tenant is neither active, nor did a failed build of it report resources.")
}

fn jobs() -> Operation {
    let summary = "List a tenant's jobs, newest first.";
    Operation::new("GET /tenants/{id}/jobs", "listJobs", summary, Answer::Many(job_schema()))
        .allowed::<permit::ViewJob>()
        .paged()
}

fn job() -> Operation {
    let (route, summary) = ("GET /tenants/{id}/jobs/{jobId}", "One attempt.");
    Operation::new(route, "getJob", summary, Answer::One(job_schema())).allowed::<permit::ViewJob>()
}

fn resources() -> Operation {
    let schema = Resource::SCHEMA;
    let resource = NamedSchema::new("Resource", component(schema, &[]), example(schema));
    let summary =
        "List what is built for a tenant, newest first. Nothing is listed after a deprovisioning.";
    Operation::new("GET /tenants/{id}/resources", "listResources", summary, Answer::Many(resource))
        .allowed::<permit::ViewTenant>()
        .paged()
}

fn overview() -> Operation {
    let overview = NamedSchema::new("Overview", Overview::schema(), Overview::example());
    let summary =
        "How things stand, about a second ago: counts, the last 30 days, what needs attention.";
    Operation::new("GET /overview", "overview", summary, Answer::One(overview))
        .operator::<permit::ViewTenant>()
}

/// A job as [`JobView`](domain::JobView) writes it; the audit is that of every entity.
fn job_schema() -> NamedSchema {
    let states = ["queued", "running", "succeeded", "failed", "timed_out"];
    let state = json!({ "type": "string", "enum": states });
    let moment = json!({ "type": "string", "format": "date-time" });
    let maybe = nullable(json!({ "type": "string" }));
    let mut job = component(Resource::SCHEMA, &[]);
    let own = json!({
        "kind": { "type": "string", "enum": ["provision", "deprovision"] },
        "attempt": { "type": "integer", "minimum": 1 },
        "state": state,
        "tier": { "type": "string" },
        "isolation": { "type": "string", "enum": ["silo", "pool"] },
        "subscription": { "type": "object", "description": "As it was sent." },
        "steps": { "type": "array", "items": {
            "type": "object",
            "properties": { "name": state, "time": moment },
            "required": ["name", "time"],
            "additionalProperties": false,
        } },
        "deadline": moment,
        "executionId": maybe,
        "logUrl": maybe,
        "appPlaneUrl": maybe,
        "reason": maybe,
    });
    for built in ["externalIdentifier", "type", "metadata"] {
        job["properties"].as_object_mut().map(|members| members.remove(built));
    }
    for (name, schema) in own.as_object().into_iter().flatten() {
        job["properties"][name] = schema.clone();
    }
    let names = job["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone());
    job["required"] = names.collect::<Vec<_>>().into();
    let example = job_example();
    job["examples"] = json!([example]);
    NamedSchema::new("Job", job, example)
}

fn job_example() -> Value {
    let mut job = example(Resource::SCHEMA);
    for built in ["externalIdentifier", "type", "metadata"] {
        job.as_object_mut().map(|members| members.remove(built));
    }
    let now = job["createdOn"].clone();
    for (name, value) in [
        ("id", json!("019aad7e-9c01-7d0e-b1f0-55a1c2e4d7f8")),
        ("kind", json!("provision")),
        ("attempt", json!(1)),
        ("state", json!("queued")),
        ("tier", json!("PREMIUM")),
        ("isolation", json!("silo")),
        ("subscription", json!({ "id": "subscription-1", "plan": { "tier": "PREMIUM" } })),
        ("steps", json!([{ "name": "queued", "time": now }])),
        ("deadline", now.clone()),
        ("executionId", Value::Null),
        ("logUrl", Value::Null),
        ("appPlaneUrl", Value::Null),
        ("reason", Value::Null),
    ] {
        job[name] = value;
    }
    job
}
