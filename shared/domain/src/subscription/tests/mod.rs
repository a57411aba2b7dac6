mod model;
mod money;
mod moves;
mod start;
mod table;
mod times;

use serde_json::{Value, json};

use super::*;
use crate::plan::tests::plan;
use crate::{
    Editable, EntityOwner, EventType, JobId, JobKind, JobPhase, JobRef, Outcome, PlanState,
    Standing, SuspensionReason, Tenant, TenantStatus, Tiers, UserId,
};

/// Returns the time, which is given without its seconds.
fn time(minute: &str) -> Timestamp {
    format!("{minute}:00Z").parse().unwrap()
}

fn terms(given: &Value) -> PlanTerms {
    plan(given, PlanState::Active).terms(&Tiers::default())
}

/// Returns the user of the clock.
fn system() -> UserId {
    UserId::from("system")
}

fn standing(status: TenantStatus, suspension: Option<SuspensionReason>) -> Standing {
    Standing { status, suspension, has_open_job: false }
}

/// Returns the standing of a tenant in use.
fn in_use() -> Standing {
    standing(TenantStatus::Active, None)
}

/// Returns what an action does at `now`.
fn at<'a>(tenant: Standing, now: &str, by: &'a UserId) -> Context<'a> {
    Context { tenant, now: time(now), by }
}

/// Returns a subscription that was activated on 31 January 2026 at 10:00.
fn activated(given: &Value) -> Subscription {
    let (by, id) = (system(), TenantId::generate());
    let at = at(in_use(), "2026-01-31T10:00", &by);
    let decision = Subscription::subscribe(id, terms(given), Trial::Offered, None, at).unwrap();
    decision.and_then(|subscription| subscription.activate(at)).unwrap().subscription
}

fn signal(outcome: &str, invoice: Option<InvoiceId>) -> PaymentSignal {
    let signal = schema::read(&json!({ "outcome": outcome, "reference": "r1" })).unwrap();
    PaymentSignal { invoice_id: invoice, ..signal }
}

/// Returns the subscription after a payment for the current period failed.
fn past_due(given: &Value) -> Subscription {
    let by = system();
    let at = at(in_use(), "2026-02-03T10:00", &by);
    let failed = activated(given).signalled(&signal("failed", None), PENDING, at);
    failed.unwrap().subscription
}

const PENDING: crate::InvoiceStatus = crate::InvoiceStatus::Pending;

/// Returns the period as two days.
fn days(subscription: &Subscription) -> String {
    let day = |day: Option<Day>| day.map_or("-".to_owned(), |day| day.date().to_string());
    format!("{} {}", day(subscription.start_date()), day(subscription.end_date()))
}

fn job(tenant: Tenant, outcome: Option<Outcome>) -> Tenant {
    let job = JobRef {
        id: JobId::generate(),
        attempt: 1,
        kind: JobKind::Provision,
        opened_from: None,
        identity_provider: None,
        phase: JobPhase::Build,
        subscription_id: None,
        outcome,
    };
    Tenant { latest_job: Some(job), ..tenant }
}

fn tenant(status: TenantStatus) -> Tenant {
    let key = schema::read(&json!("acme")).unwrap();
    let name = schema::read(&json!("Acme")).unwrap();
    let new = Tenant::pending(key, name, Vec::new(), time("2026-01-01T00:00"), &system());
    Tenant { status, ..new }
}
