//! Renewals, ends and suspensions of subscriptions as time passes.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};
use support::{App, join_all, run_alone};

/// Starts a control plane with a subscribed tenant. Returns it with the IDs of the tenant and the
/// subscription.
async fn subscribed(plan: &Value) -> (App, String, String) {
    let app = App::start().await;
    let (tenant, plan) = (app.tenant_in_use("acme").await, app.active_plan(plan).await);
    let id = app.subscribe(&tenant, &plan).await.expect(200).text("/id");
    (app, tenant, id)
}

async fn status(app: &App, tenant: &str) -> Value {
    app.read(&format!("/tenants/{tenant}")).await.body["status"].clone()
}

#[tokio::test]
async fn missed_periods_are_renewed_one_by_one_and_once() {
    let week = json!({ "billingCycle": { "duration": 1, "durationUnit": "week" } });
    let (app, tenant, id) = subscribed(&week).await;
    app.reconcile().await;
    assert_eq!(app.items_of("invoice").len(), 1, "nothing is due");
    app.let_days_pass(22).await;
    join_all((0..3).map(|_| app.reconcile())).await;
    app.settle().await;
    let read = app.subscription(&id).await;
    assert_eq!(read["phase"], "active");
    let invoices = app.read("/invoices?filter={\"order\":\"startDate\"}").await;
    assert_eq!(invoices.items().len(), 4);
    let starts: Vec<_> = invoices.each("startDate");
    let distinct: BTreeSet<_> = starts.iter().map(Value::to_string).collect();
    assert_eq!(distinct.len(), 4, "periods follow one another: {starts:?}");
    assert_eq!(app.events_of("SUBSCRIPTION_RENEWED").len(), 3);
    assert_eq!(status(&app, &tenant).await, 0);
    let before = app.items();
    app.reconcile().await;
    assert_eq!(app.items(), before);
}

#[tokio::test]
async fn a_trial_has_a_notice_then_a_paid_period() {
    let (app, _, id) = subscribed(&json!({ "trialDays": 14 })).await;
    app.let_days_pass(12).await;
    app.reconcile().await;
    app.settle().await;
    assert_eq!(app.subscription(&id).await["phase"], "trialing");
    assert_eq!(app.events_of("SUBSCRIPTION_TRIAL_ENDING").len(), 1);
    app.let_days_pass(3).await;
    app.reconcile().await;
    app.settle().await;
    assert_eq!(app.subscription(&id).await["phase"], "active");
    assert_eq!(app.events_of("SUBSCRIPTION_TRIAL_ENDING").len(), 1);
    assert_eq!(app.items_of("invoice").len(), 1);
}

#[tokio::test]
async fn what_does_not_renew_expires_and_suspends_the_tenant() {
    let (app, tenant, id) = subscribed(&json!({})).await;
    let path = format!("/subscriptions/{id}");
    app.client.patch(&app.operator, &path, &json!({ "autoRenew": false })).await.expect(204);
    app.let_days_pass(32).await;
    app.reconcile().await;
    app.settle().await;
    let read = app.subscription(&id).await;
    assert_eq!((&read["phase"], &read["status"]), (&json!("expired"), &json!(4)));
    assert_eq!(status(&app, &tenant).await, 6);
    assert_eq!(app.read("/subscriptions/expired").await.each("id"), [json!(id)]);
    assert_eq!(app.events_of("SUBSCRIPTION_EXPIRED").len(), 1);
    assert!(app.items_of("timer").is_empty());
}

#[tokio::test]
async fn an_unpaid_tenant_is_suspended_after_the_grace_period_until_it_pays() {
    let (app, tenant, id) = subscribed(&json!({ "graceDays": 7 })).await;
    let signal =
        |outcome: &str, reference: &str| json!({ "outcome": outcome, "reference": reference });
    app.act_on(&id, "payments", &signal("failed", "1")).await.expect(200);
    app.let_days_pass(6).await;
    app.reconcile().await;
    assert_eq!(app.subscription(&id).await["phase"], "past_due");
    app.let_days_pass(2).await;
    app.reconcile().await;
    let read = app.subscription(&id).await;
    assert_eq!((&read["phase"], &read["status"]), (&json!("suspended"), &json!(2)));
    assert_eq!(status(&app, &tenant).await, 6);
    let invoice = read["overdue"][0].clone();
    let mut paid = signal("succeeded", "2");
    paid["invoiceId"] = invoice;
    let paid = app.act_on(&id, "payments", &paid).await.expect(200).body;
    assert_eq!((&paid["phase"], &paid["overdue"]), (&json!("active"), &json!([])));
    assert_eq!(status(&app, &tenant).await, 0);
}

#[tokio::test]
async fn a_subscription_expires_if_its_tenant_is_never_built() {
    let app = App::start().await;
    let (tenant, plan) = (app.tenant("acme").await, app.active_plan(&json!({})).await);
    let id = app.subscribe(&tenant, &plan).await.expect(200).text("/id");
    app.let_days_pass(31).await;
    app.reconcile().await;
    assert_eq!(app.subscription(&id).await["phase"], "expired");
    assert_eq!(status(&app, &tenant).await, 1);
    app.subscribe(&tenant, &plan).await.expect(200);
}

#[tokio::test]
async fn an_open_job_makes_a_timer_wait_and_a_broken_timer_holds_up_nobody() {
    let app = App::start_silent().await;
    let (tenant, plan) = (app.tenant("acme").await, app.active_plan(&json!({})).await);
    let id = app.subscribe(&tenant, &plan).await.expect(200).text("/id");
    let other = app.tenant("other").await;
    let late = app.subscribe(&other, &plan).await.expect(200).text("/id");
    app.provision(tenant.parse().unwrap(), "BASIC").await;
    app.let_days_pass(31).await;
    let mut broken = app.items_of("timer").remove(0);
    broken["pk"]["S"] = "TIMER#subscription#x".into();
    broken["gsi1sk"]["S"] = "2026-01-01T00:00:00.000Z#x#y".into();
    broken["subject"] = json!({ "S": "x" });
    assert!(app.put_item(&broken).await);
    app.reconcile().await;
    assert_eq!(app.subscription(&id).await["phase"], "pending", "a job is open");
    assert_eq!(app.subscription(&late).await["phase"], "expired");
    let waiting = app.items_of("timer");
    let now = lambda::now().to_string();
    assert_eq!(waiting.len(), 2);
    assert!(waiting.iter().all(|timer| *timer["gsi1sk"]["S"].as_str().unwrap() > *now));
}

#[tokio::test]
async fn a_change_at_the_end_of_the_period_applies_from_the_next_one() {
    let (app, _, id) = subscribed(&json!({})).await;
    let large = app.active_plan(&json!({ "name": "Large", "price": 60 })).await;
    let later = json!({ "planId": large, "when": "period_end" });
    app.act_on(&id, "change", &later).await.expect(200);
    app.let_days_pass(32).await;
    app.reconcile().await;
    let read = app.subscription(&id).await;
    assert_eq!((&read["planId"], &read["pendingChange"]), (&json!(large), &Value::Null));
    app.settle().await;
    let amounts = app.read("/invoices?filter={\"order\":\"amount\"}").await.each("amount");
    assert_eq!(amounts, [json!(30), json!(60)]);
}

/// Returns the subscriptions and versions of the events of a type.
fn events(app: &App, kind: &str) -> Vec<(String, u64)> {
    let of = |event: &Value| {
        let mut parts = event["detail"]["id"].as_str()?.split('#');
        Some((parts.next()?.to_owned(), parts.next()?.parse().ok()?))
    };
    app.events_of(kind).iter().map(|event| of(event).unwrap()).collect()
}

#[tokio::test]
async fn a_clock_that_stood_still_for_three_days_makes_up_for_them_once_and_in_order() {
    run_alone!(a_clock_that_stood_still_for_three_days_makes_up_for_them_once_and_in_order);
    let mut app = App::start().await;
    let day = json!({ "duration": 1, "durationUnit": "day" });
    let mut ids = Vec::new();
    for (key, terms) in [
        ("renews", json!({ "billingCycle": day })),
        ("reminded", json!({ "trialDays": 5 })),
        ("tried", json!({ "trialDays": 1 })),
        ("unpaid", json!({ "graceDays": 1 })),
        ("ends", json!({ "billingCycle": day })),
    ] {
        let (tenant, plan) = (app.tenant_in_use(key).await, app.active_plan(&terms).await);
        ids.push(app.subscribe(&tenant, &plan).await.expect(200).text("/id"));
    }
    let [renews, reminded, tried, unpaid, ends] = ids.try_into().unwrap();
    let failed = json!({ "outcome": "failed", "reference": "1" });
    app.act_on(&unpaid, "payments", &failed).await.expect(200);
    let path = format!("/subscriptions/{ends}");
    app.client.patch(&app.operator, &path, &json!({ "autoRenew": false })).await.expect(204);
    app.settle().await;
    app.skip(Duration::from_secs(73 * 3600)).await;
    join_all((0..3).map(|_| app.reconcile())).await;
    app.reconcile().await;
    app.settle().await;

    let of = |kind: &str, id: &str| {
        let mut versions = events(&app, kind);
        versions.retain(|(event, _)| event == id);
        versions.into_iter().map(|(_, version)| version).collect::<BTreeSet<_>>()
    };
    for (kind, id, times) in [
        ("SUBSCRIPTION_RENEWED", &renews, 3),
        ("SUBSCRIPTION_TRIAL_ENDING", &reminded, 1),
        ("SUBSCRIPTION_TRIAL_ENDING", &tried, 1),
        ("SUBSCRIPTION_EXPIRED", &ends, 1),
    ] {
        assert_eq!(of(kind, id).len(), times, "{kind}");
    }
    for (kind, times) in [
        ("SUBSCRIPTION_RENEWED", 3),
        ("SUBSCRIPTION_TRIAL_ENDING", 2),
        ("SUBSCRIPTION_ACTIVATED", 6),
        ("SUBSCRIPTION_EXPIRED", 1),
        ("TENANT_SUSPENDED", 2),
    ] {
        assert_eq!(app.events_of(kind).len(), times, "{kind}");
    }
    let notice = of("SUBSCRIPTION_TRIAL_ENDING", &tried).pop_last();
    let begun = of("SUBSCRIPTION_ACTIVATED", &tried).pop_last();
    assert!(notice < begun, "the reminder came first: {notice:?} {begun:?}");
    for (id, phase) in [
        (&renews, "active"),
        (&reminded, "trialing"),
        (&tried, "active"),
        (&unpaid, "suspended"),
        (&ends, "expired"),
    ] {
        assert_eq!(app.subscription(id).await["phase"], phase);
    }
    assert_eq!(app.dead_letters(), 0);
}

#[tokio::test]
async fn a_customer_who_cancels_before_a_late_clock_pays_for_the_periods_in_use() {
    let week = json!({ "billingCycle": { "duration": 1, "durationUnit": "week" }, "trialDays": 3 });
    for action in [json!({ "when": "now" }), json!({})] {
        let (app, tenant, id) = subscribed(&week).await;
        app.let_days_pass(12).await;
        let ended = app.act_on(&id, "cancel", &action).await.expect(200).body;
        app.settle().await;
        let invoices = app.read("/invoices?filter={\"order\":\"startDate\"}").await;
        assert_eq!(invoices.items().len(), 2, "those of the two weeks after the trial");
        let last = &invoices.items()[1];
        let begun = ended["currentPeriodStart"].as_str().unwrap();
        assert!(begun.starts_with(&last["startDate"].as_str().unwrap()[..10]), "{ended} {last}");
        let now = action["when"] == "now";
        assert_eq!(status(&app, &tenant).await, if now { 6 } else { 0 });
        assert_eq!(app.events_of("SUBSCRIPTION_RENEWED").len(), 1);
        app.reconcile().await;
        assert_eq!(app.items_of("invoice").len(), 2);
    }
}

#[tokio::test]
async fn a_change_before_a_late_clock_counts_from_the_present_period() {
    let (app, _, id) = subscribed(&json!({ "price": 30 })).await;
    let dearer = app.active_plan(&json!({ "price": 60 })).await;
    app.let_days_pass(32).await;
    let new = json!({ "planId": dearer, "proration": "credit" });
    let changed = app.act_on(&id, "change", &new).await.expect(200).body;
    assert_eq!(changed["planId"], json!(dearer));
    let invoices = app.read("/invoices?filter={\"order\":\"startDate\"}").await;
    assert_eq!(
        invoices.each("amount").iter().map(Value::to_string).collect::<Vec<_>>(),
        ["30", "30"]
    );
    let lines = changed["adjustments"].as_array().unwrap();
    assert_eq!(lines.len(), 2, "the days that remain of the second period: {lines:?}");
}
