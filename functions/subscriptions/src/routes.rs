use domain::{Cancellation, NewPlanChange, PaymentSignal, Subscription, entities};
use openapi::{
    Answer, NamedSchema, Operation, Operations, component, count, example, list, update, view,
};
use schema::FromJson;
use serde_json::{Value, json};
use web::{Code, Routes};

use crate::{
    Subscriptions,
    actions::{cancel, resume},
    change::{QuoteView, change},
    create::create,
    ending::{expire_soon, expired},
    payments::report,
};

/// Declares the routes of this function.
pub(crate) fn routes<R: Routes<Subscriptions, Operation>>(routes: R) -> R {
    let kind = "subscriptions";
    routes
        .route("POST /subscriptions", create, describe_create)
        .route("GET /subscriptions", web::list::<Subscription>, || list::<Subscription>(kind))
        .route("GET /subscriptions/count", web::count::<Subscription>, || {
            count::<Subscription>(kind)
        })
        .route("GET /subscriptions/expire-soon", expire_soon, describe_expire_soon)
        .route("GET /subscriptions/expired", expired, describe_expired)
        .route("GET /subscriptions/{id}", web::view::<Subscription>, || view::<Subscription>(kind))
        .route("PATCH /subscriptions/{id}", web::update::<Subscription>, || {
            let used = "A member differs from the stored one, and follows from another operation.";
            update::<Subscription>(kind).error(Code::UseAction, used)
        })
        .route("POST /subscriptions/{id}/change", change, describe_change)
        .route("POST /subscriptions/{id}/cancel", cancel, describe_cancel)
        .route("POST /subscriptions/{id}/resume", resume, describe_resume)
        .route("POST /subscriptions/{id}/payments", report, describe_payments)
}

/// Returns this function's operations for the OpenAPI document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    routes(Operations::default()).0
}

fn subscription() -> NamedSchema {
    let schema = &entities::SUBSCRIPTION;
    NamedSchema::new("Subscription", component(schema, &[]), example(schema))
}

fn describe_create() -> Operation {
    let id = example(&entities::SUBSCRIPTION)["tenantId"].clone();
    let body = json!({ "subscriberId": id, "planId": id, "trial": true });
    Operation::new("createSubscription", "Subscribe a tenant to a plan", Answer::One(subscription()))
        .description(
            "For operators. An ACTIVE tenant of the plan's tier and isolation begins at once, and so \
             does a tenant that an earlier subscription suspended. An ACTIVE tenant of another tier or \
             isolation is moved by a job, which also needs the permission to provision. A tenant \
             without resources begins when it has been provisioned.",
        )
        .body("NewSubscription", body)
        .error(Code::SubscriptionExists, "The tenant has a subscription that has not ended.")
        .error(Code::PlanNotActive, "The plan is a draft or archived.")
        .or_job("A job moves the tenant. The subscription is pending until the job succeeds.")
        .error(Code::TenantState, "The tenant can't be moved because it is suspended, or was deprovisioned.")
        .error(Code::JobOpen, "A job of the tenant is open.")
        .links_to("/subscriptions", "/id")
        .tagged()
}

fn days(default: &str) -> Value {
    json!({
        "name": "days",
        "description": default,
        "schema": { "type": "integer", "minimum": 1, "maximum": 366, "default": 7 },
    })
}

fn describe_expire_soon() -> Operation {
    let summary = "List subscriptions that end soon";
    Operation::new("listEndingSubscriptions", summary, Answer::Many(subscription()))
        .description(
            "Lists subscriptions that end within some days, the first to end first: they are \
             cancelled at the end of their period, or do not renew. Eventually consistent.",
        )
        .query(days("The number of days from now."))
        .continued()
        .error(Code::FilterTooBroad, "More than 1,000 subscriptions end.")
}

fn describe_expired() -> Operation {
    let summary = "List subscriptions that have expired";
    Operation::new("listExpiredSubscriptions", summary, Answer::Many(subscription()))
        .description("Lists subscriptions that have expired, the latest first. Changes nothing.")
        .query(days("The number of days before now."))
        .continued()
        .error(Code::FilterTooBroad, "More than 10,000 subscriptions have expired.")
}

fn describe_change() -> Operation {
    let plan = example(&entities::SUBSCRIPTION)["planId"].clone();
    let body = json!({ "planId": plan, "when": "now", "proration": "credit" });
    let changed = subscription().schema;
    let answer = json!({ "oneOf": [changed, QuoteView::schema()] });
    let answer = NamedSchema::new("ChangedSubscription", answer, subscription().example);
    Operation::new("changeTerms", "Change the plan of a subscription", Answer::One(answer))
        .description(
            "Changes the terms at once or at the end of the period. With `dryRun=true`, nothing \
             changes, and the answer has the credits and charges, the date, and whether a job must move \
             the tenant. For a plan of another tier or isolation, such a job is opened, which also needs \
             the permission to provision. The terms change when the job succeeds.",
        )
        .query(json!({
            "name": "dryRun",
            "description": "Whether only to say what the change would cost.",
            "schema": { "type": "boolean", "default": false },
        }))
        .body_schema(NamedSchema::new("NewPlanChange", NewPlanChange::schema(), body))
        .error(Code::PlanNotActive, "The plan is a draft or archived.")
        .error(Code::SubscriptionState, "The phase of the subscription does not allow the change.")
        .or_job("A job moves the tenant. The subscription stays as it is until the job succeeds.")
        .error(Code::TenantState, "A tenant that is not ACTIVE can't be moved.")
        .error(Code::JobOpen, "A job of the tenant is open.")
}

fn describe_cancel() -> Operation {
    let body = json!({ "when": "period_end", "reason": "Too expensive." });
    Operation::new("cancelSubscription", "Cancel a subscription", Answer::One(subscription()))
        .description(
            "Cancels at the end of the period, or now. When the cancellation takes effect, the tenant \
             is suspended. A pending subscription is cancelled at once, unless its tenant is being built.",
        )
        .body_schema(NamedSchema::new("Cancellation", Cancellation::schema(), body))
        .error(Code::SubscriptionState, "The subscription has expired.")
        .error(Code::JobOpen, "The tenant is being built, or can't be suspended while its job is open.")
}

fn describe_resume() -> Operation {
    let summary = "Resume a cancelled subscription";
    Operation::new("resumeSubscription", summary, Answer::One(subscription()))
        .description("Withdraws a cancellation that has not taken effect.")
        .error(Code::SubscriptionState, "The subscription has ended.")
}

fn describe_payments() -> Operation {
    let body = json!({ "outcome": "failed", "reference": "evt_1" });
    let summary = "Report a payment";
    Operation::new("reportPayment", summary, Answer::One(subscription()))
        .description(
            "For billing systems. A failure makes the invoice overdue, a success clears it. The \
             subscription and its tenant follow from what is overdue. A `reference` that is known has \
             no further effect.",
        )
        .body_schema(NamedSchema::new("PaymentSignal", PaymentSignal::schema(), body))
        .error(Code::SubscriptionState, "The signal names no invoice, and the period has none.")
}
