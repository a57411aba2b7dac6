use super::*;

type Action = fn(Subscription, Context<'_>) -> Result<Decision, Refusal>;

/// Every action at 10:00 on 1 July 2026, after everything that can be due.
const ACTIONS: [(&str, Action); 16] = [
    ("activate", |one, at| one.activate(at)),
    ("pending end", |one, at| run(one, TimerAction::PendingEnd, at)),
    ("trial notice", |one, at| run(one, TimerAction::TrialNotice, at)),
    ("trial end", |one, at| {
        run(Subscription { trial_notice_on: None, ..one }, TimerAction::TrialEnd, at)
    }),
    ("trial end, once", |one, at| {
        run(once(Subscription { trial_notice_on: None, ..one }), TimerAction::TrialEnd, at)
    }),
    ("period end", |one, at| run(one, TimerAction::PeriodEnd, at)),
    ("period end, once", |one, at| run(once(one), TimerAction::PeriodEnd, at)),
    ("period end, cancelled", |one, at| {
        run(Subscription { cancel_at_period_end: true, ..one }, TimerAction::PeriodEnd, at)
    }),
    ("grace end", |one, at| run(one, TimerAction::GraceEnd, at)),
    ("failed", |one, at| one.signalled(&signal("failed", None), PENDING, at)),
    ("succeeded", |one, at| {
        let invoice = one.overdue.first().copied();
        one.signalled(&signal("succeeded", invoice), PENDING, at)
    }),
    ("cancel at the end", |one, at| one.cancel(Cancellation { when: None, reason: None }, at)),
    ("cancel now", |one, at| one.cancel(Cancellation { when: Some(When::Now), reason: None }, at)),
    ("resume", |one, at| one.resume(at)),
    ("change", |one, at| {
        let other = terms(&json!({ "price": 50 }));
        match one.change(other, When::Now, Proration::None, at)? {
            PlanChange::Decided(decision) => Ok(*decision),
            PlanChange::Moves(_) => panic!("the tier is the same"),
        }
    }),
    ("close", |one, at| {
        let unchanged = Decision::new(one.clone());
        Ok(one.close(at).unwrap_or(unchanged))
    }),
];

fn run(one: Subscription, action: TimerAction, at: Context<'_>) -> Result<Decision, Refusal> {
    let unchanged = Decision::new(one.clone());
    Ok(one.run(action, at)?.unwrap_or(unchanged))
}

fn once(one: Subscription) -> Subscription {
    let details = SubscriptionDetails { auto_renew: Some(false), ..one.details };
    Subscription { details, ..one }
}

/// Returns a subscription in each phase with the standing of its tenant.
fn phases() -> Vec<(Subscription, Standing)> {
    let by = system();
    let unpaid = standing(TenantStatus::Suspended, Some(SuspensionReason::NonPayment));
    let ended = standing(TenantStatus::Suspended, Some(SuspensionReason::Cancelled));
    let active = activated(&json!({}));
    let context = at(in_use(), "2026-02-10T10:00", &by);
    let now = Cancellation { when: Some(When::Now), reason: None };
    let cancelled = active.clone().cancel(now, context).unwrap().subscription;
    let suspended = past_due(&json!({})).run(TimerAction::GraceEnd, context).unwrap().unwrap();
    let pending = Subscription::subscribe(
        TenantId::generate(),
        terms(&json!({})),
        Trial::Offered,
        None,
        context,
    );
    vec![
        (pending.unwrap().subscription, in_use()),
        (activated(&json!({ "trialDays": 14 })), in_use()),
        (active, in_use()),
        (past_due(&json!({})), in_use()),
        (suspended.subscription, unpaid),
        (cancelled.clone(), ended),
        (Subscription { phase: Phase::Expired, ..cancelled }, ended),
    ]
}

#[test]
fn every_action_in_every_phase() {
    let (mut rows, by) = (Vec::new(), system());
    for (subscription, tenant) in phases() {
        let from = subscription.phase;
        for (name, action) in ACTIONS {
            let before = subscription.clone();
            let context = at(tenant, "2026-07-01T10:00", &by);
            match action(before.clone(), context) {
                Ok(done) if done.events.is_empty() && done.subscription.phase == from => {}
                Ok(done) => rows.push(row(from, name, &done)),
                Err(refusal) => rows.push(format!("{from}, {name}: {}", refusal.code())),
            }
        }
    }
    let expected: Vec<&str> = include_str!("table.txt").lines().collect();
    assert_eq!(rows, expected, "{}", rows.join("\n"));
}

fn row(from: Phase, name: &str, done: &Decision) -> String {
    let events: Vec<_> = done.events.iter().map(ToString::to_string).collect();
    let invoice = if done.invoice.is_some() { " with an invoice" } else { "" };
    let tenant = match done.tenant {
        Some(StandingChange::Suspend(reason)) => format!("; tenant {reason}"),
        Some(StandingChange::Reactivate) => "; tenant reactivated".to_owned(),
        None => String::new(),
    };
    let events: Vec<_> = events.into_iter().map(|event| format!("; {event}")).collect();
    format!("{from}, {name}: {}{invoice}{tenant}{}", done.subscription.phase, events.concat())
}

#[test]
fn a_tenant_suspended_by_hand_stays_so_and_a_job_delays_what_would_suspend() {
    let by = system();
    let by_hand = standing(TenantStatus::Suspended, Some(SuspensionReason::Abuse));
    let busy = Standing { has_open_job: true, ..in_use() };
    let now = || Cancellation { when: Some(When::Now), reason: None };
    for subscription in [activated(&json!({})), past_due(&json!({}))] {
        let calm = at(by_hand, "2026-07-01T10:00", &by);
        let done = subscription.clone().cancel(now(), calm).unwrap();
        assert_eq!((done.tenant, done.subscription.phase), (None, Phase::Cancelled));
        let context = at(busy, "2026-07-01T10:00", &by);
        assert_eq!(subscription.clone().cancel(now(), context), Err(Refusal::JobOpen));
        let renewed = subscription.run(TimerAction::PeriodEnd, context).unwrap().unwrap();
        assert_eq!(renewed.events, [EventType::SubscriptionRenewed], "no job delays a renewal");
    }
    let context = at(busy, "2026-07-01T10:00", &by);
    let (pending, _) = phases().swap_remove(0);
    assert_eq!(pending.phase, Phase::Pending);
    let built = Standing { status: TenantStatus::Provisioning, ..busy };
    for new in [now(), Cancellation { when: None, reason: None }] {
        let built = at(built, "2026-07-01T10:00", &by);
        assert_eq!(pending.clone().cancel(new.clone(), built), Err(Refusal::JobOpen));
        let moved = pending.clone().cancel(new, context).unwrap();
        assert_eq!(moved.subscription.phase, Phase::Cancelled);
    }
    let late = past_due(&json!({}));
    assert_eq!(late.clone().run(TimerAction::GraceEnd, context), Err(Refusal::JobOpen));
    let suspended = late.run(TimerAction::GraceEnd, at(by_hand, "2026-07-01T10:00", &by));
    let suspended = suspended.unwrap().unwrap();
    assert_eq!((suspended.tenant, suspended.subscription.phase), (None, Phase::Suspended));
    let id = suspended.subscription.overdue[0];
    let paid = signal("succeeded", Some(id));
    let paid =
        suspended.subscription.signalled(&paid, PENDING, at(by_hand, "2026-07-02T10:00", &by));
    let paid = paid.unwrap();
    assert_eq!((paid.tenant, paid.subscription.phase), (None, Phase::Active));
}

#[test]
fn a_payment_while_a_job_is_open_reactivates_when_the_job_has_closed() {
    let by = system();
    let calm = at(in_use(), "2026-02-11T10:00", &by);
    let suspended = past_due(&json!({})).run(TimerAction::GraceEnd, calm).unwrap().unwrap();
    let unpaid = standing(TenantStatus::Suspended, Some(SuspensionReason::NonPayment));
    let leaving = Standing { status: TenantStatus::Deprovisioning, has_open_job: true, ..unpaid };
    let paid = signal("succeeded", suspended.subscription.overdue.first().copied());
    let context = at(leaving, "2026-02-12T10:00", &by);
    let paid = suspended.subscription.signalled(&paid, PENDING, context).unwrap();
    assert_eq!((paid.tenant, paid.subscription.phase), (None, Phase::Active));
    let waits = paid.subscription.clone().run(TimerAction::Reactivate, context);
    assert_eq!(waits, Err(Refusal::JobOpen));
    let removed = Standing { status: TenantStatus::Inactive, ..unpaid };
    let by_hand = standing(TenantStatus::Suspended, Some(SuspensionReason::Abuse));
    for (tenant, change) in
        [(unpaid, Some(StandingChange::Reactivate)), (removed, None), (by_hand, None)]
    {
        let context = at(tenant, "2026-02-12T10:05", &by);
        let waiting = paid.subscription.clone();
        let done = waiting.run(TimerAction::Reactivate, context).unwrap().unwrap();
        assert_eq!((done.tenant, &done.events[..]), (change, &[][..]), "{tenant:?}");
        assert_eq!(done.subscription.run(TimerAction::Reactivate, context), Ok(None));
    }
}

#[test]
fn signals_may_be_repeated_and_arrive_in_any_order() {
    let by = system();
    let context = at(in_use(), "2026-02-04T10:00", &by);
    let once = past_due(&json!({}));
    let twice = once.clone().signalled(&signal("failed", None), PENDING, context).unwrap();
    assert!(twice.events.is_empty());
    assert_eq!(twice.subscription.overdue, once.overdue);
    assert_eq!(twice.subscription.grace_ends_on, once.grace_ends_on, "no new grace period");
    let settled = once.signalled(&signal("succeeded", None), PENDING, context).unwrap();
    assert_eq!((settled.tenant, settled.subscription.phase), (None, Phase::Active));
    assert_eq!(settled.subscription.reactivate_on, None, "the tenant was never suspended");
    let paid = crate::InvoiceStatus::Paid;
    let late = activated(&json!({})).signalled(&signal("failed", None), paid, context).unwrap();
    assert_eq!(late.subscription.phase, Phase::Active, "the invoice was paid before");
}

#[test]
fn nobody_has_two_subscriptions() {
    let by = system();
    let subscribe = |current: &Subscription| {
        let context = at(in_use(), "2026-03-01T10:00", &by);
        let (tenant, plan) = (current.tenant_id, terms(&json!({})));
        let id = current.is_current().then_some(current.id);
        Subscription::subscribe(tenant, plan, Trial::Declined, id, context).map(|_| ())
    };
    for (current, _) in phases() {
        let expected =
            if current.phase.has_ended() { Ok(()) } else { Err(Refusal::SubscriptionExists) };
        assert_eq!(subscribe(&current), expected, "{}", current.phase);
    }
}

#[test]
fn a_new_subscription_reactivates_unless_the_tenant_was_suspended_by_hand() {
    let by = system();
    for (reason, reactivates) in [
        (SuspensionReason::Cancelled, true),
        (SuspensionReason::TrialEnded, true),
        (SuspensionReason::Expired, true),
        (SuspensionReason::Other, false),
    ] {
        let context = at(standing(TenantStatus::Suspended, Some(reason)), "2026-03-01T10:00", &by);
        let (tenant, plan) = (TenantId::generate(), terms(&json!({})));
        let new = Subscription::subscribe(tenant, plan, Trial::Declined, None, context).unwrap();
        let pending = new.subscription.clone();
        let done = new.and_then(|new| new.activate(context)).unwrap();
        assert_eq!(done.tenant == Some(StandingChange::Reactivate), reactivates, "{reason}");
        let busy = Standing { has_open_job: true, ..context.tenant };
        let while_busy = pending.activate(Context { tenant: busy, ..context });
        let refusal = reactivates.then_some(Refusal::JobOpen);
        assert_eq!(while_busy.err(), refusal, "only a reactivation waits for a job: {reason}");
    }
}

#[test]
fn the_standing_of_a_tenant_changes_by_hand_and_by_its_subscription() {
    let (now, by) = (time("2026-03-01T10:00"), UserId::from("operator"));
    let suspend = |tenant: Tenant, reason: &str| {
        let new = schema::read(&json!({ "reason": reason, "note": "asked" })).unwrap();
        tenant.suspended(new, now, &by)
    };
    let active = tenant(TenantStatus::Active);
    let unpaid = StandingChange::Suspend(SuspensionReason::NonPayment);
    let unpaid = active.clone().with_standing(unpaid, now, &by).unwrap();
    let abusive = suspend(unpaid.clone(), "abuse").unwrap();
    assert_eq!(abusive.suspension.as_ref().unwrap().reason, SuspensionReason::Abuse);
    assert_eq!(
        EntityOwner::from(&abusive).check_changeable_by_lead(),
        Err(Refusal::TenantSuspended)
    );
    assert_eq!(suspend(abusive.clone(), "other").unwrap_err().code(), "TENANT_STATE");
    let again = abusive.reactivated(now, &by).unwrap();
    assert_eq!((again.status, again.suspension.clone()), (TenantStatus::Active, None));
    assert_eq!(again.reactivated(now, &by).unwrap_err().code(), "TENANT_STATE");
    assert_eq!(suspend(job(active, None), "other"), Err(Refusal::JobOpen));
    assert_eq!(job(unpaid, None).reactivated(now, &by), Err(Refusal::JobOpen));
    assert!(suspend(tenant(TenantStatus::Inactive), "other").is_err());
    let automatic = schema::read::<crate::NewSuspension>(&json!({ "reason": "non_payment" }));
    assert!(automatic.is_err(), "an operator's reason never looks like that of a subscription");
}

#[test]
fn only_a_cancellation_ends_with_the_removal_of_the_resources() {
    let (by, days) = (system(), |days: u64| std::time::Duration::from_secs(days * 24 * 3600));
    let context = at(in_use(), "2026-03-31T10:00", &by);
    let now = || Cancellation { when: Some(When::Now), reason: None };
    let ends = |done: Decision| done.retaining(crate::Retention(Some(days(30)))).deprovision_on;
    let cancelled = activated(&json!({})).cancel(now(), context).unwrap();
    assert_eq!(cancelled.clone().retaining(crate::Retention(None)).deprovision_on, None);
    assert_eq!(ends(cancelled), Some(time("2026-04-30T10:00")));
    let mut fixed = activated(&json!({}));
    fixed.details.auto_renew = Some(false);
    let expired = fixed.run(TimerAction::PeriodEnd, context).unwrap().unwrap();
    assert_eq!((expired.subscription.phase, ends(expired)), (Phase::Expired, None));
    let by_hand = standing(TenantStatus::Suspended, Some(SuspensionReason::Abuse));
    let abusive = at(by_hand, "2026-03-31T10:00", &by);
    assert_eq!(ends(activated(&json!({})).cancel(now(), abusive).unwrap()), None);
    let waiting = Cancellation { when: None, reason: None };
    assert_eq!(ends(activated(&json!({})).cancel(waiting, context).unwrap()), None);
}

#[test]
fn a_tenant_has_the_timer_of_its_suspension() {
    let (now, by) = (time("2026-03-01T10:00"), UserId::from("operator"));
    let reason = StandingChange::Suspend(SuspensionReason::Cancelled);
    let on = Some(time("2026-03-31T10:00"));
    let active = tenant(TenantStatus::Active);
    assert_eq!(active.clone().deprovisioned_on(on).deprovisioning_timer(1), None);
    let leaving = active.with_standing(reason, now, &by).unwrap().deprovisioned_on(on);
    let timer = leaving.deprovisioning_timer(7).unwrap();
    assert_eq!((timer.action, timer.version, Some(timer.at)), (TimerAction::Deprovision, 7, on));
    let new = schema::read(&json!({ "reason": "other" })).unwrap();
    let by_hand = leaving.clone().suspended(new, now, &by).unwrap();
    assert_eq!(by_hand.deprovisioning_timer(8), None);
    assert_eq!(leaving.reactivated(now, &by).unwrap().deprovisioning_timer(8), None);
}
