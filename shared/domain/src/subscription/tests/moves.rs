//! Jobs that move a tenant, and their effect on its subscription.

use std::time::Duration;

use super::*;
use crate::{
    Error, Isolation, Job, JobResult, JobState, MoveRules, NewResource, ResourceChange,
    SubscriptionText, Text,
};

const HOUR: Duration = Duration::from_secs(3600);

fn rules() -> MoveRules {
    MoveRules { tiers: Tiers::default(), expiry: HOUR, retention_days: 7 }
}

fn pooled(status: TenantStatus) -> Tenant {
    let tier: Text<1, 100> = schema::read(&json!("BASIC")).unwrap();
    Tenant { tier: Some(tier), isolation: Some(Isolation::Pool), ..tenant(status) }
}

fn change_to(given: &Value) -> Move {
    Move { plan: terms(given), proration: Proration::None }
}

fn open(tenant: &Tenant, given: &Value) -> crate::Result<Job> {
    let by = system();
    let at = at(tenant.standing(), "2026-02-10T10:00", &by);
    Job::open_move(tenant, Vec::new(), &activated(&json!({})), change_to(given), &rules(), at)
}

#[test]
fn only_an_active_tenant_without_an_open_job_is_moved() {
    let silo = json!({ "tier": "PREMIUM" });
    let active = pooled(TenantStatus::Active);
    let opened = open(&active, &silo).unwrap();
    let reference = opened.reference();
    assert_eq!((opened.isolation, opened.tier.as_str()), (Isolation::Silo, "PREMIUM"));
    assert_eq!(opened.tenant.status, TenantStatus::Active, "its users work on");
    assert!(opened.subscription.raw().get().contains(r#""plan":{"id":"#));
    for outcome in [Outcome::Succeeded, Outcome::Failed, Outcome::TimedOut] {
        assert_eq!(reference.status_after_closing(outcome).unwrap(), TenantStatus::Active);
    }
    let code = |refused: crate::Result<Job>| match refused.unwrap_err() {
        Error::Refused(refusal) => refusal.code(),
        other => panic!("{other}"),
    };
    let busy = job(active.clone(), None);
    assert_eq!(code(open(&busy, &silo)), "JOB_OPEN");
    assert_eq!(code(open(&Tenant { tier: None, ..active }, &silo)), "TENANT_STATE");
    for status in TenantStatus::ALL.iter().filter(|status| **status != TenantStatus::Active) {
        assert_eq!(code(open(&pooled(*status), &silo)), "TENANT_STATE", "{status}");
    }
    let deprovision = busy.status_after_opening(JobKind::Deprovision).unwrap_err();
    assert!(matches!(deprovision, Error::Refused(Refusal::JobOpen)), "{deprovision}");
}

#[test]
fn only_a_successful_move_to_another_isolation_leaves_something_behind() {
    let now = time("2026-02-10T12:00");
    let moves = |given: &Value| open(&pooled(TenantStatus::Active), given).unwrap().moves.unwrap();
    let left = moves(&json!({ "tier": "PREMIUM" })).leaves(now).unwrap();
    assert_eq!((left.isolation, left.tier.as_str()), (Isolation::Pool, "BASIC"));
    assert_eq!(left.retire_on, time("2026-02-17T12:00"));
    assert_eq!(moves(&json!({ "tier": "STANDARD" })).leaves(now), None);

    let reference = open(&pooled(TenantStatus::Active), &json!({ "tier": "PREMIUM" })).unwrap();
    let reference = reference.reference();
    let bucket = json!({ "type": "bucket", "externalIdentifier": "b" });
    let bucket: NewResource = schema::read(&bucket).unwrap();
    let result = |outcome| JobResult {
        resources: vec![bucket.clone()],
        ..JobResult::unsuccessful(outcome, "")
    };
    for (outcome, kept, change) in [
        (Outcome::Succeeded, 1, ResourceChange::Replaced),
        (Outcome::Failed, 0, ResourceChange::Unchanged),
        (Outcome::TimedOut, 0, ResourceChange::Unchanged),
    ] {
        let result = result(outcome);
        assert_eq!(reference.kept(&result).len(), kept, "{outcome:?}");
        assert_eq!(reference.resource_change(&result), change, "{outcome:?}");
    }
}

#[test]
fn the_old_resources_are_removed_by_the_pipeline_that_built_them() {
    let by = system();
    let active = pooled(TenantStatus::Active);
    let moved = open(&active, &json!({ "tier": "PREMIUM" })).unwrap();
    let previous = moved.moves.clone().unwrap().leaves(time("2026-02-10T12:00"));
    let silo = Tenant {
        tier: Some(moved.tier.clone()),
        isolation: Some(Isolation::Silo),
        previous,
        ..active.clone()
    };
    let at = at(silo.standing(), "2026-02-20T10:00", &by);
    let built = |id: &str, isolation, kind| {
        let text = json!({ "id": id, "plan": { "tier": "BASIC" } }).to_string();
        let subscription = SubscriptionText::from_text(&text, &Tiers::default()).unwrap();
        Job { isolation, kind, subscription, state: JobState::Succeeded, ..moved.clone() }
    };
    let jobs = [
        built("moved", Isolation::Silo, JobKind::Change),
        Job { state: JobState::Failed, ..built("failed", Isolation::Pool, JobKind::Change) },
        built("removed", Isolation::Pool, JobKind::Deprovision),
        built("built", Isolation::Pool, JobKind::Provision),
    ];
    let tiers = Tiers::default();
    let open =
        |tenant: &Tenant| Job::open_retirement(tenant, Vec::new(), &jobs, (&tiers, HOUR), at);
    let retired = open(&silo).unwrap();
    assert_eq!((retired.kind, retired.isolation), (JobKind::Retire, Isolation::Pool));
    assert_eq!((retired.subscription.id(), retired.tier.as_str()), ("built", "BASIC"));
    let timer = silo.retirement_timer(3).unwrap();
    assert_eq!((timer.action, timer.version), (TimerAction::Retire, 3));
    assert_eq!(timer.at, time("2026-02-17T12:00"));
    let none = open(&Tenant { previous: None, ..silo.clone() }).unwrap_err();
    assert!(matches!(none, Error::Refused(Refusal::TenantState(_))), "{none}");
    let busy = open(&job(silo.clone(), None)).unwrap_err();
    assert!(matches!(busy, Error::Refused(Refusal::JobOpen)), "{busy}");
    let gone = Tenant { status: TenantStatus::Inactive, ..silo };
    assert!(matches!(gone.check_deletable(), Err(Error::TenantHasResources)));
    assert!(open(&gone).is_ok());
}

#[test]
fn a_move_is_applied_to_a_subscription_in_any_phase() {
    let by = system();
    let context = at(in_use(), "2026-02-10T10:00", &by);
    let silo = json!({ "tier": "PREMIUM", "price": 300 });
    let active = activated(&json!({}));
    let to_silo = change_to(&silo);
    let moved = active.clone().moved(to_silo.clone(), context).unwrap().unwrap();
    assert_eq!(moved.subscription.plan, to_silo.plan);
    let plan = to_silo.plan.clone();
    let pending = Subscription::subscribe(active.tenant_id, plan, Trial::Offered, None, context);
    let begun = pending.unwrap().subscription.moved(to_silo.clone(), context).unwrap().unwrap();
    assert_eq!(begun.subscription.phase, Phase::Active);
    let ended = active.clone().close(context).unwrap().subscription;
    assert_eq!(ended.moved(to_silo, context), Ok(None));

    let dollars = json!({ "tier": "PREMIUM", "price": 300, "currencyCode": "USD" });
    let credit = Move { proration: Proration::Credit, ..change_to(&dollars) };
    let applied = active.moved(credit.clone(), context).unwrap().unwrap().subscription;
    assert_eq!((applied.plan, applied.adjustments), (credit.plan, Vec::new()));
}

#[test]
fn nothing_changes_the_plan_while_a_job_is_open() {
    let by = system();
    let busy = Standing { has_open_job: true, ..in_use() };
    let context = at(busy, "2026-02-10T10:00", &by);
    for given in [json!({ "price": 60 }), json!({ "tier": "PREMIUM" })] {
        let changed =
            activated(&json!({})).change(terms(&given), When::Now, Proration::None, context);
        assert_eq!(changed.unwrap_err(), Refusal::JobOpen);
    }
    let later = activated(&json!({})).change(
        terms(&json!({ "tier": "PREMIUM" })),
        When::PeriodEnd,
        Proration::None,
        context,
    );
    assert!(later.is_ok());
}
