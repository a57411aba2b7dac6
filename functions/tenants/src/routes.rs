use domain::{
    Entitlements, Entity, IdentityProvider, Isolation, JobKind, JobState, NewProvisioning,
    Overview, Placement, Resource, SearchHit, StepSource, StepState, Tenant, Word,
};
use filter::SearchQuery;
use openapi::{
    Answer, NamedSchema, Operation, Operations, UNIQUE_IN_BULK, component, count, example, list,
    onboarded, replace, update, update_all, view,
};
use schema::nullable;
use serde_json::{Value, json};
use web::{Code, Routes};

use crate::{Tenants, entitlements, provisioning, reading, retiring, suspending};

/// When a lead gets this error.
const TOO_MANY_BUILDS: &str = "A lead starts a build of its tenant, and the lead and operators started \
    five in the last 24 hours.";

/// Declares the routes of this function.
pub(crate) fn routes<R: Routes<Tenants, Operation>>(routes: R) -> R {
    routes
        .route("POST /tenants", crate::create, create)
        .route("DELETE /tenants/{id}", crate::delete, delete)
        .route("GET /tenants", web::list::<Tenant>, || list::<Tenant>("tenants"))
        .route("GET /tenants/count", web::count::<Tenant>, || count::<Tenant>("tenants"))
        .route("GET /tenants/{id}", web::view::<Tenant>, || view::<Tenant>("tenants"))
        .route("PATCH /tenants/{id}", web::update::<Tenant>, || edit(update::<Tenant>("tenants")))
        .route("PATCH /tenants", web::update_all::<Tenant>, || {
            let update = update_all::<Tenant>("tenants");
            edit(update.error(Code::UniqueFieldInBulk, UNIQUE_IN_BULK))
        })
        .route("PUT /tenants/{id}", web::replace::<Tenant>, || edit(replace::<Tenant>("tenants")))
        .route("POST /tenants/{id}/provision", provisioning::provision, provision)
        .route("POST /tenants/{id}/identity", provisioning::resume_identity, resume_identity)
        .route("POST /tenants/{id}/deprovision", provisioning::deprovision, deprovision)
        .route("POST /tenants/{id}/retire", retiring::retire, retire)
        .route("POST /tenants/{id}/suspend", suspending::suspend, suspend)
        .route("POST /tenants/{id}/reactivate", suspending::reactivate, reactivate)
        .route("GET /tenants/{id}/jobs", reading::jobs, jobs)
        .route("GET /tenants/{id}/jobs/{jobId}", reading::job, job)
        .route("GET /tenants/{id}/resources", reading::resources, resources)
        .route("GET /tenants/{id}/entitlements", entitlements::entitlements, view_entitlements)
        .route("PUT /tenants/{id}/entitlements/{key}", entitlements::put_override, put_override)
        .route(
            "DELETE /tenants/{id}/entitlements/{key}",
            entitlements::delete_override,
            delete_override,
        )
        .route("GET /overview", reading::overview, overview)
        .route("GET /search", reading::search, search)
}

/// Returns this function's operations for the OpenAPI document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    routes(Operations::default()).0
}

/// Adds the errors of a write to an existing tenant.
fn edit(operation: Operation) -> Operation {
    with_key(operation).error(Code::StatusReadOnly, "The status differs from the stored one.")
}

fn create() -> Operation {
    let body = json!({
        "key": "acme", "name": "Acme", "domains": ["acme.test"], "city": "London",
        "contact": {
            "firstName": "Ada", "lastName": "Lovelace", "email": "ada@acme.test", "isPrimary": true,
        },
    });
    let summary = "Create a tenant";
    let create = Operation::new("createTenant", summary, onboarded())
        .description("For operators. Needs no lead.")
        .body("NewTenant", body)
        .error(Code::DomainMismatch, "The contact's email is not at one of the `domains`.")
        .links_to("/tenants", "/id")
        .tagged();
    with_key(create)
}

/// Adds the errors of a write that sets the key of a tenant.
fn with_key(operation: Operation) -> Operation {
    operation
        .error(Code::TenantKeyTaken, "Another tenant has, or had, this key.")
        .error(Code::TenantKeyReserved, "The key is reserved.")
}

fn delete() -> Operation {
    Operation::new("deleteTenant", "Delete a tenant", Answer::Nothing)
        .description("Soft-deletes the tenant and everything it owns. The key is not released.")
        .error(Code::TenantBusy, "The tenant has an open job.")
        .error(Code::TenantHasResources, "The tenant has resources. Deprovision it first.")
}

fn provision() -> Operation {
    let body = json!({ "planId": "019aad7e-9c01-7d0e-b1f0-55a1c2e4d7f8" });
    let summary = "Start provisioning";
    Operation::new("provisionTenant", summary, Answer::Job)
        .description(
            "Opens a job that builds the tenant, and answers with its location. Poll the job for progress. \
            `planId` alone subscribes the tenant to the plan, or uses its pending subscription to the plan. \
            A body with `plan` has terms of its own, whatever its `planId` is, and makes no subscription.",
        )
        .body_schema(NamedSchema::new("NewProvisioning", NewProvisioning::schema(), body))
        .error(Code::SubscriptionIdMissing, "A body with terms of its own has no `id`.")
        .error(
            Code::PlanNotPublic,
            "A lead names a plan that is not on offer, or sends terms that `LEAD_PLANS` does not allow.",
        )
        .error(Code::PlanNotActive, "An operator names a plan that is a draft or archived.")
        .error(
            Code::SubscriptionExists,
            "The tenant has a subscription that is to another plan or has begun.",
        )
        .error(
            Code::IllegalTransition,
            "The tenant's status is neither PENDINGPROVISION nor PROVISIONFAILED.",
        )
        .error(
            Code::TenantState,
            "A failed build has left resources of the other isolation. Provision the tenant for the same \
            isolation, or deprovision it first.",
        )
        .error(Code::TooManyBuilds, TOO_MANY_BUILDS)
}

fn resume_identity() -> Operation {
    let summary = "Resume the identity set-up";
    Operation::new("resumeIdentity", summary, Answer::Job)
        .description(
            "Opens a job that only repeats the failed identity set-up of the tenant's latest job, at the \
            provider that is configured now. The resources stay as they are.",
        )
        .error(
            Code::IllegalTransition,
            "The latest job of the tenant did not fail in its identity set-up.",
        )
        .error(
            Code::SubscriptionState,
            "The subscription that the tenant was built for has ended. Provision the tenant again.",
        )
        .error(Code::TooManyBuilds, TOO_MANY_BUILDS)
}

fn deprovision() -> Operation {
    let summary = "Start deprovisioning";
    Operation::new("deprovisionTenant", summary, Answer::Job)
        .description(
            "Opens a job that removes the tenant's resources, with the pipeline that built them.",
        )
        .error(
            Code::IllegalTransition,
            "The tenant is neither ACTIVE nor SUSPENDED, and no failed build of it reported resources.",
        )
        .error(Code::JobOpen, "A job moves the tenant, or retires its previous resources.")
}

fn retire() -> Operation {
    Operation::new("retireTenant", "Retire a tenant's previous resources", Answer::Job)
        .description(
            "Opens a job that removes the resources from before the tenant was moved to another \
             isolation. Without this request, the job is opened on the day `previous.retireOn`.",
        )
        .error(Code::TenantState, "The tenant has no previous resources.")
        .error(Code::JobOpen, "A job of the tenant is open.")
}

fn suspend() -> Operation {
    let body = json!({ "reason": "request", "note": "Closed for the winter" });
    Operation::new("suspendTenant", "Suspend a tenant", Answer::Nothing)
        .description(
            "Locks an active tenant: its entitlements say so, and its lead can read but not change \
            anything. The resources stay as they are. A tenant that its subscription has suspended gets \
            this reason, so that no payment reactivates it. The tenant's lead can read the note.",
        )
        .body("NewSuspension", body)
        .error(Code::JobOpen, "A job of the tenant is open.")
        .error(
            Code::TenantState,
            "The tenant is neither ACTIVE nor suspended by its subscription.",
        )
}

fn reactivate() -> Operation {
    Operation::new("reactivateTenant", "Reactivate a tenant", Answer::Nothing)
        .description(
            "Ends the suspension of a tenant, whatever its reason is. If invoices are still overdue, the \
            subscription is past due with a new grace period, of at least a day.",
        )
        .error(Code::JobOpen, "A job of the tenant is open.")
        .error(Code::TenantState, "The tenant is not SUSPENDED.")
}

fn view_entitlements() -> Operation {
    let entitlements =
        NamedSchema::new("Entitlements", Entitlements::schema(), Entitlements::example());
    let summary = "Get a tenant's entitlements";
    Operation::new("getEntitlements", summary, Answer::One(entitlements)).description(
        "Returns the features that the tenant may use, and its status: a suspended tenant keeps its \
        features but must not use them. Eventually consistent. Ask again with `If-None-Match`.",
    )
}

fn put_override() -> Operation {
    Operation::new("putOverride", "Override a feature of a tenant", Answer::Nothing)
        .description(
            "Gives the tenant a value of its own for a feature, in place of its plan's. A tenant has at \
            most 100 overrides.",
        )
        .body("NewOverride", json!({ "value": 25 }))
}

fn delete_override() -> Operation {
    Operation::new("deleteOverride", "Remove an override of a feature", Answer::Nothing)
        .description("The value of the tenant's plan applies again.")
}

fn jobs() -> Operation {
    let summary = "List a tenant's jobs";
    Operation::new("listJobs", summary, Answer::Many(job_schema()))
        .description("Each job is one attempt. Newest first.")
        .paged()
}

fn job() -> Operation {
    Operation::new("getJob", "Get a job", Answer::One(job_schema()))
}

fn resources() -> Operation {
    let schema = Resource::SCHEMA;
    let resource = NamedSchema::new("Resource", component(schema, &[]), example(schema));
    let summary = "List a tenant's resources";
    Operation::new("listResources", summary, Answer::Many(resource))
        .description(
            "Resources reported by builds, newest first. Deprovisioning removes them from the list.",
        )
        .paged()
}

fn overview() -> Operation {
    let overview = NamedSchema::new("Overview", Overview::schema(), Overview::example());
    let summary = "Get dashboard statistics";
    Operation::new("overview", summary, Answer::One(overview)).description(
        "Counts by status, the last 30 days, and tenants that need attention. Eventually \
            consistent: changes are counted after about one second.",
    )
}

fn search() -> Operation {
    let hit = NamedSchema::new("SearchHit", SearchHit::schema(), SearchHit::example());
    let summary = "Search tenants and leads";
    Operation::new("search", summary, Answer::Many(hit))
        .description(
            "Finds tenants and leads by tenant key, by the start of any word of their names, by domain and \
            by email address, ignoring case and accents. Several words must all match. Tenants come \
            first. Leads are only found with permission 10203, and tenants by the email addresses of \
            their contacts with permission 10211. Eventually consistent: changes are found after about \
            one second.",
        )
        .query(json!({
            "name": "q",
            "description": "The text to search for. Without a letter or digit, it finds nothing.",
            "schema": { "type": "string", "maxLength": SearchQuery::MAX_LENGTH },
        }))
        .query(json!({
            "name": "limit",
            "description": "Maximum number of results. There are no further pages: add a word instead.",
            "schema": {
                "type": "integer", "minimum": 1, "maximum": SearchQuery::MAX_LIMIT,
                "default": SearchQuery::DEFAULT_LIMIT,
            },
        }))
}

/// A job as [`JobView`](domain::JobView) writes it; the audit is that of every entity.
fn job_schema() -> NamedSchema {
    let state = JobState::schema();
    let moment = json!({ "type": "string", "format": "date-time" });
    let maybe = nullable(json!({ "type": "string" }));
    let mut job = component(Resource::SCHEMA, &[]);
    let own = json!({
        "kind": JobKind::schema(),
        "attempt": { "type": "integer", "minimum": 1 },
        "state": state,
        "tier": { "type": "string" },
        "isolation": Isolation::schema(),
        "identityProvider": nullable(<IdentityProvider as Word>::schema()),
        "from": nullable(Placement::schema()),
        "to": nullable(Placement::schema()),
        "subscription": { "type": "object", "description": "The subscription as it was sent." },
        "steps": step_schema(),
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

/// The steps of a job: changes of its state, and what its pipeline and its build report.
fn step_schema() -> Value {
    let moment = json!({ "type": "string", "format": "date-time" });
    let maybe = nullable(json!({ "type": "string" }));
    json!({ "type": "array", "items": {
        "type": "object",
        "properties": {
            "name": {
                "type": "string",
                "description": "A state of the job, a stage or an action of its pipeline, or a \
                    step that its build has named.",
            },
            "source": StepSource::schema(),
            "state": StepState::schema(),
            "time": moment,
            "startedOn": moment,
            "endedOn": nullable(moment),
            "summary": maybe,
            "link": maybe,
        },
        "required":
            ["name", "source", "state", "time", "startedOn", "endedOn", "summary", "link"],
        "additionalProperties": false,
        "description": "`time` is `startedOn`. For leads, `summary` and `link` are null.",
    } })
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
        ("identityProvider", Value::Null),
        ("from", Value::Null),
        ("to", Value::Null),
        ("subscription", json!({ "id": "subscription-1", "plan": { "tier": "PREMIUM" } })),
        (
            "steps",
            json!([{
                "name": "queued", "source": "job", "state": "succeeded", "time": now,
                "startedOn": now, "endedOn": now, "summary": null, "link": null,
            }]),
        ),
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
