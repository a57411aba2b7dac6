use super::*;

/// Runs everything that is due at `now`, in order, and returns the events.
fn catch_up(subscription: &mut Subscription, now: &str) -> Vec<String> {
    let (mut log, by) = (Vec::new(), system());
    loop {
        let due = subscription.timers(1).into_iter().next();
        let Some(timer) = due.filter(|timer| timer.at <= time(now)) else { return log };
        let done = subscription.clone().run(timer.action, at(in_use(), now, &by)).unwrap().unwrap();
        *subscription = done.subscription;
        let events: Vec<_> = done.events.iter().map(|event| format!("{event} ")).collect();
        log.push(format!("{}: {}{}", timer.action, events.concat(), days(subscription)));
    }
}

#[test]
fn missed_periods_are_renewed_one_by_one_on_the_anchor_day() {
    let mut subscription = activated(&json!({}));
    insta::assert_debug_snapshot!(catch_up(&mut subscription, "2026-05-31T10:00"), @r#"
    [
        "period_end: SUBSCRIPTION_RENEWED 2026-02-28 2026-03-31",
        "period_end: SUBSCRIPTION_RENEWED 2026-03-31 2026-04-30",
        "period_end: SUBSCRIPTION_RENEWED 2026-04-30 2026-05-31",
        "period_end: SUBSCRIPTION_RENEWED 2026-05-31 2026-06-30",
    ]
    "#);
    assert!(catch_up(&mut subscription, "2026-06-30T09:59").is_empty());
}

#[test]
fn a_trial_gives_notice_and_is_then_paid_from_its_end_on() {
    let mut subscription = activated(&json!({ "trialDays": 14 }));
    assert_eq!(subscription.invoice_id(), None);
    assert!(catch_up(&mut subscription, "2026-02-11T09:59").is_empty());
    insta::assert_debug_snapshot!(catch_up(&mut subscription, "2026-03-20T00:00"), @r#"
    [
        "trial_notice: SUBSCRIPTION_TRIAL_ENDING 2026-01-31 2026-02-14",
        "trial_end: SUBSCRIPTION_ACTIVATED 2026-02-14 2026-03-14",
        "period_end: SUBSCRIPTION_RENEWED 2026-03-14 2026-04-14",
    ]
    "#);
    let mut short = activated(&json!({ "trialDays": 1 }));
    assert_eq!(catch_up(&mut short, "2026-01-31T10:00").len(), 1, "the notice is due at once");
}

#[test]
fn grace_and_renewals_happen_in_the_order_of_their_times() {
    let mut subscription = past_due(&json!({
        "graceDays": 1, "billingCycle": { "duration": 1, "durationUnit": "week" },
    }));
    insta::assert_debug_snapshot!(catch_up(&mut subscription, "2026-02-15T00:00"), @r#"
    [
        "grace_end: 2026-01-31 2026-02-07",
        "period_end: SUBSCRIPTION_RENEWED 2026-02-07 2026-02-14",
        "period_end: SUBSCRIPTION_RENEWED 2026-02-14 2026-02-21",
    ]
    "#);
    let mut lenient = past_due(&json!({ "effectOfNonPayment": "none" }));
    catch_up(&mut lenient, "2027-01-01T00:00");
    assert_eq!(lenient.phase, Phase::PastDue, "non-payment has no effect");
}

#[test]
fn a_subscription_without_a_tenant_expires_after_30_days() {
    let by = system();
    let context = at(standing(TenantStatus::PendingProvision, None), "2026-01-01T00:00", &by);
    let (id, plan) = (TenantId::generate(), terms(&json!({})));
    let new = Subscription::subscribe(id, plan, Trial::Offered, None, context).unwrap();
    let mut subscription = new.subscription;
    assert_eq!(subscription.clone().activate(context).unwrap_err().code(), "TENANT_STATE");
    assert!(catch_up(&mut subscription, "2026-01-30T23:59").is_empty());
    let events = catch_up(&mut subscription, "2026-01-31T00:00");
    assert_eq!(events, ["pending_end: SUBSCRIPTION_EXPIRED - -"]);
}

#[test]
fn a_pending_change_applies_at_the_end_of_the_period_with_the_terms_of_its_day() {
    let by = system();
    let context = at(in_use(), "2026-02-10T10:00", &by);
    let yearly = terms(&json!({
        "price": 300, "billingCycle": { "duration": 1, "durationUnit": "year" },
        "features": { "seats": 50 },
    }));
    let mut subscription = activated(&json!({}));
    let change = subscription.change(yearly, When::PeriodEnd, Proration::Credit, context).unwrap();
    let PlanChange::Decided(decision) = change else { panic!("no move is needed") };
    subscription = decision.subscription;
    insta::assert_debug_snapshot!(catch_up(&mut subscription, "2026-02-28T10:00"), @r#"
    [
        "period_end: SUBSCRIPTION_RENEWED SUBSCRIPTION_CHANGED 2026-02-28 2027-02-28",
    ]
    "#);
    catch_up(&mut subscription, "2028-02-28T10:00");
    assert_eq!(days(&subscription), "2027-02-28 2028-02-29", "the anchor is the 31st");
}

#[test]
fn the_grace_period_follows_from_the_terms() {
    let by = system();
    let context = at(in_use(), "2026-02-05T10:00", &by);
    let late = past_due(&json!({}));
    assert_eq!(late.grace_ends_on, Some(time("2026-02-10T10:00")));
    let changed = |one: Subscription, plan: PlanTerms| {
        let change = one.change(plan, When::Now, Proration::None, context);
        let Ok(PlanChange::Decided(decision)) = change else { panic!("{change:?}") };
        decision.subscription
    };
    let still = changed(late.clone(), terms(&json!({ "graceDays": 30 })));
    assert_eq!(still.grace_ends_on, late.grace_ends_on, "a change gives no more time");
    let lenient = changed(late, terms(&json!({ "effectOfNonPayment": "none" })));
    assert_eq!(lenient.grace_ends_on, None);
    let strict = changed(lenient, terms(&json!({})));
    assert_eq!(strict.grace_ends_on, Some(time("2026-02-12T10:00")));
}

#[test]
fn a_subscription_ends_soon_only_if_it_does_not_renew() {
    let by = system();
    let context = at(in_use(), "2026-02-05T10:00", &by);
    let active = activated(&json!({}));
    assert_eq!(active.ends_on(), None);
    let later = active.clone().cancel(Cancellation { when: None, reason: None }, context).unwrap();
    assert_eq!(later.subscription.ends_on(), Some(time("2026-02-28T10:00")));
    assert_eq!(later.subscription.clone().resume(context).unwrap().subscription.ends_on(), None);
    assert_eq!(later.subscription.close(context).unwrap().subscription.ends_on(), None);
    let now = Cancellation { when: Some(When::Now), reason: None };
    let ended = active.clone().cancel(now, context).unwrap().subscription;
    assert_eq!(days(&ended), "2026-01-31 2026-02-05", "the period is cut");
    let details = SubscriptionDetails { auto_renew: Some(false), meta_data: None };
    let once = active.edited(details, context.now, &by);
    assert_eq!(once.ends_on(), Some(time("2026-02-28T10:00")));
}

#[test]
fn a_pending_move_opens_its_job_after_the_renewal() {
    let by = system();
    let context = at(in_use(), "2026-02-10T10:00", &by);
    let silo = terms(&json!({ "tier": "PREMIUM", "price": 300 }));
    let change =
        activated(&json!({})).change(silo.clone(), When::PeriodEnd, Proration::None, context);
    let Ok(PlanChange::Decided(decision)) = change else { panic!("{change:?}") };
    let context = at(in_use(), "2026-02-28T10:00", &by);
    let waiting = decision.subscription;
    assert_eq!(waiting.clone().run(TimerAction::Move, context), Ok(None), "the period comes first");
    let renewed = waiting.run(TimerAction::PeriodEnd, context).unwrap().unwrap().subscription;
    let busy = Context { tenant: Standing { has_open_job: true, ..in_use() }, ..context };
    assert_eq!(renewed.clone().run(TimerAction::Move, busy), Err(Refusal::JobOpen));
    let opened = renewed.run(TimerAction::Move, context).unwrap().unwrap();
    let moved = opened.subscription.moved(opened.opens.unwrap(), context).unwrap().unwrap();
    let moved = moved.subscription;
    assert_eq!(moved.plan, silo);
    let amounts: Vec<_> = moved.adjustments.iter().map(|line| line.amount.to_string()).collect();
    assert_eq!(amounts, ["30", "300"], "the whole period is at the new price");
}

#[test]
fn only_a_subscription_that_renews_has_a_late_renewal() {
    let by = system();
    let late = at(in_use(), "2026-03-01T00:00", &by);
    let events = |one: &Subscription, at| one.late_renewal(at).map(|decision| decision.events);
    let active = activated(&json!({}));
    assert_eq!(events(&active, late), Some(vec![EventType::SubscriptionRenewed]));
    assert_eq!(events(&active, at(in_use(), "2026-02-28T09:59", &by)), None, "it is not due");
    let trial = activated(&json!({ "trialDays": 14 }));
    assert_eq!(events(&trial, late), Some(vec![EventType::SubscriptionTrialEnding]));
    let details = SubscriptionDetails { auto_renew: Some(false), meta_data: None };
    assert_eq!(events(&Subscription { details, ..active.clone() }, late), None);
    assert_eq!(events(&Subscription { cancel_at_period_end: true, ..active }, late), None);
}
