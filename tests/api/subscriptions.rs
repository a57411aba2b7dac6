//! Subscriptions of tenants to plans: created, changed, cancelled, paid.

use domain::TenantId;
use reqwest::Method;
use serde_json::{Value, json};
use support::{App, join_all};

/// Returns the tenant's status.
async fn status(app: &App, tenant: &str) -> Value {
    app.read(&format!("/tenants/{tenant}")).await.body["status"].clone()
}

/// Returns a tenant's invoices, the first period first.
async fn invoices(app: &App, tenant: &str) -> Vec<Value> {
    let path = format!("/invoices?filter={{\"where\":{{\"tenantId\":\"{tenant}\"}}}}");
    let mut invoices = app.read(&path).await.items().to_vec();
    invoices.sort_by_key(|invoice| invoice["startDate"].to_string());
    invoices
}

#[tokio::test]
async fn a_tenant_in_use_begins_at_once_with_an_invoice() {
    let app = App::start().await;
    let (tenant, plan) = (app.tenant_in_use("acme").await, app.active_plan(&json!({})).await);
    let made = app.subscribe(&tenant, &plan).await.expect(200);
    assert_eq!(made.header("etag"), "\"1\"");
    let id = made.text("/id");
    for (member, value) in [
        ("tenantId", json!(tenant)),
        ("subscriberId", json!(tenant)),
        ("planId", json!(plan)),
        ("status", json!(1)),
        ("phase", json!("active")),
        ("autoRenew", json!(true)),
        ("cancelAtPeriodEnd", json!(false)),
        ("overdue", json!([])),
        ("adjustments", json!([])),
        ("pendingChange", Value::Null),
    ] {
        assert_eq!(made.body[member], value, "{member}");
    }
    assert_eq!(made.body["plan"]["price"], json!(30));
    assert_eq!(made.body["plan"]["features"], json!({ "seats": 5 }));
    assert_eq!(app.subscription(&id).await, made.body);

    let [invoice] = &invoices(&app, &tenant).await[..] else { panic!() };
    assert_eq!((&invoice["amount"], &invoice["status"]), (&json!(30), &json!(0)));
    assert_eq!(invoice["subscriptionId"], json!(id));
    let line = json!([{ "type": "plan", "planId": plan, "amount": 30, "days": null, "ofDays": null, "on": null }]);
    assert_eq!(invoice["lines"], line);
    assert_eq!(invoice["startDate"], made.body["startDate"]);

    let again = app.subscribe(&tenant, &plan).await.expect(409);
    assert_eq!(again.body["error"]["code"], "SUBSCRIPTION_EXISTS");
    app.settle().await;
    for (path, count) in [
        ("/subscriptions/count".to_owned(), 1),
        (format!("/subscriptions/count?where={{\"tenantId\":\"{tenant}\"}}"), 1),
        ("/subscriptions/count?where={\"status\":1}".to_owned(), 1),
        ("/subscriptions/count?where={\"status\":3}".to_owned(), 0),
        ("/subscriptions/count?where={\"phase\":\"active\"}".to_owned(), 1),
    ] {
        assert_eq!(app.read(&path).await.body["count"], count, "{path}");
    }
    let listed = app.read("/subscriptions?filter={\"include\":[\"tenant\"]}").await;
    assert_eq!(listed.items()[0]["tenant"]["id"], json!(tenant));
    assert_eq!(app.read("/subscriptions").await.items(), [made.body]);
}

#[tokio::test]
async fn eight_subscribers_at_once_become_one() {
    let app = App::start().await;
    let (tenant, plan) = (app.tenant_in_use("acme").await, app.active_plan(&json!({})).await);
    let made = join_all((0..8).map(|_| app.subscribe(&tenant, &plan))).await;
    let mut statuses: Vec<_> = made.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(app.items_of("subscription").len(), 1);
    assert_eq!(invoices(&app, &tenant).await.len(), 1);
}

#[tokio::test]
async fn a_trial_has_no_invoice_and_can_be_declined() {
    let app = App::start().await;
    let plan = app.active_plan(&json!({ "trialDays": 14 })).await;
    let tenant = app.tenant_in_use("acme").await;
    let trial = app.subscribe(&tenant, &plan).await.expect(200).body;
    assert_eq!((&trial["phase"], &trial["status"]), (&json!("trialing"), &json!(1)));
    assert_eq!(trial["trialEndsOn"], trial["currentPeriodEnd"]);
    assert!(invoices(&app, &tenant).await.is_empty());

    let other = app.tenant_in_use("other").await;
    let body = json!({ "subscriberId": other, "planId": plan, "trial": false });
    let paid = app.client.post(&app.operator, "/subscriptions", &body).await.expect(200).body;
    assert_eq!(paid["phase"], "active");
}

#[tokio::test]
async fn a_subscription_waits_for_its_tenant() {
    let app = App::start_silent().await;
    let (tenant, plan) = (app.tenant("acme").await, app.active_plan(&json!({})).await);
    let pending = app.subscribe(&tenant, &plan).await.expect(200);
    assert_eq!((&pending.body["phase"], &pending.body["status"]), (&json!("pending"), &json!(0)));
    assert_eq!(pending.body["currentPeriodEnd"], Value::Null);

    let id: TenantId = tenant.parse().unwrap();
    app.provision(id, "BASIC").await;
    let other = app.tenant("other").await;
    app.provision(other.parse().unwrap(), "BASIC").await;
    let refused = app.subscribe(&other, &plan).await.expect(409);
    assert_eq!(refused.body["error"]["code"], "JOB_OPEN");
    app.stop().await;

    let app = App::start().await;
    let (tenant, plan) = (app.tenant("acme").await, app.active_plan(&json!({})).await);
    let pending = app.subscribe(&tenant, &plan).await.expect(200).text("/id");
    app.provision(tenant.parse().unwrap(), "BASIC").await;
    app.wait_for_status(&tenant, 0).await;
    let active = app.subscription(&pending).await;
    assert_eq!(active["phase"], "active");
    assert_eq!(invoices(&app, &tenant).await.len(), 1);
}

#[tokio::test]
async fn a_subscription_is_not_cancelled_while_its_tenant_is_built() {
    let app = App::start_silent().await;
    let (tenant, plan) = (app.tenant("acme").await, app.active_plan(&json!({})).await);
    app.provision_by_plan(&tenant, &plan).await.expect(204);
    app.settle().await;
    let id = app.items_of("subscription")[0]["id"]["S"].as_str().unwrap().to_owned();
    let refused = app.act_on(&id, "cancel", &json!({})).await.expect(409);
    assert_eq!(refused.body["error"]["code"], "JOB_OPEN");
    assert_eq!(app.subscription(&id).await["phase"], "pending");

    let execution = app.items_of("job")[0]["executionId"]["S"].as_str().unwrap().to_owned();
    app.end_execution(&execution, "FAILED").await;
    app.wait_for_status(&tenant, 3).await;
    app.act_on(&id, "cancel", &json!({})).await.expect(200);
    assert_eq!(app.subscription(&id).await["phase"], "cancelled");
}

#[tokio::test]
async fn a_build_for_another_tier_does_not_begin_the_subscription() {
    let app = App::start().await;
    let (tenant, plan) = (app.tenant("acme").await, app.active_plan(&json!({})).await);
    let pending = app.subscribe(&tenant, &plan).await.expect(200).text("/id");
    app.provision(tenant.parse().unwrap(), "PREMIUM").await;
    app.wait_for_status(&tenant, 0).await;
    assert_eq!(app.subscription(&pending).await["phase"], "pending");
}

#[tokio::test]
async fn what_cannot_be_subscribed_to_is_refused_with_its_reason() {
    let app = App::start().await;
    let tenant = app.tenant_in_use("acme").await;
    let draft = app.create("/plans", &support::basic_plan(&json!({}))).await;
    let silo = app.active_plan(&json!({ "tier": "PREMIUM" })).await;
    let gone = app.tenant("gone").await;
    app.client.delete(&app.operator, &format!("/tenants/{gone}")).await.expect(204);
    let nowhere = "01931f6e-0000-7000-8000-000000000001";
    for (subscriber, plan, status, code) in [
        (tenant.as_str(), draft.as_str(), 409, "PLAN_NOT_ACTIVE"),
        (&gone, &silo, 404, "ENTITY_NOT_FOUND"),
        (&tenant, nowhere, 404, "ENTITY_NOT_FOUND"),
        (nowhere, &silo, 404, "ENTITY_NOT_FOUND"),
    ] {
        let refused = app.subscribe(subscriber, plan).await.expect(status);
        assert_eq!(refused.body["error"]["code"], code, "{plan}");
    }
    let unknown = json!({ "subscriberId": tenant, "planId": silo, "price": 0 });
    app.client.post(&app.operator, "/subscriptions", &unknown).await.expect(422);
    assert!(app.items_of("subscription").is_empty());
}

#[tokio::test]
async fn a_cancellation_takes_effect_now_or_at_the_end_and_can_be_withdrawn() {
    let app = App::start().await;
    let (tenant, plan) = (app.tenant_in_use("acme").await, app.active_plan(&json!({})).await);
    let id = app.subscribe(&tenant, &plan).await.expect(200).text("/id");
    let path = format!("/subscriptions/{id}/cancel");
    let send = app.client.send(Method::POST, &path, |request| request.bearer_auth(&app.operator));
    let scheduled = send.await.expect(200).body;
    assert_eq!((&scheduled["cancelAtPeriodEnd"], &scheduled["status"]), (&json!(true), &json!(1)));
    app.settle().await;
    let soon = |days: u16| format!("/subscriptions/expire-soon?days={days}");
    assert!(app.read(&soon(7)).await.items().is_empty());
    assert_eq!(app.read(&soon(40)).await.each("id"), [json!(id)]);
    app.client.get(&app.operator, &soon(367)).await.expect(400);

    let resumed = app.act_on(&id, "resume", &json!({})).await.expect(200).body;
    assert_eq!(resumed["cancelAtPeriodEnd"], json!(false));
    app.settle().await;
    assert!(app.read(&soon(40)).await.items().is_empty(), "it renews");

    let now = json!({ "when": "now", "reason": "Too expensive." });
    let cancelled = app.act_on(&id, "cancel", &now).await.expect(200);
    assert_eq!(
        (&cancelled.body["phase"], &cancelled.body["status"]),
        (&json!("cancelled"), &json!(3))
    );
    assert_eq!(cancelled.body["cancelReason"], "Too expensive.");
    assert_eq!(status(&app, &tenant).await, 6);
    assert_eq!(
        app.act_on(&id, "cancel", &now).await.expect(200).header("etag"),
        cancelled.header("etag")
    );
    let ended = app.act_on(&id, "resume", &json!({})).await.expect(409);
    assert_eq!(ended.body["error"]["code"], "SUBSCRIPTION_STATE");
    assert!(app.items_of("timer").is_empty());

    let back = app.subscribe(&tenant, &plan).await.expect(200).body;
    assert_eq!(back["phase"], "active");
    assert_eq!(status(&app, &tenant).await, 0);
}

#[tokio::test]
async fn a_payment_signal_counts_once_in_any_order() {
    let app = App::start().await;
    let (tenant, plan) = (app.tenant_in_use("acme").await, app.active_plan(&json!({})).await);
    let id = app.subscribe(&tenant, &plan).await.expect(200).text("/id");
    let report = |outcome: &str, reference: &str| {
        let body = json!({ "outcome": outcome, "reference": reference });
        let (app, id) = (&app, &id);
        async move { app.act_on(id, "payments", &body).await.expect(200).body }
    };
    let invoice = invoices(&app, &tenant).await[0]["id"].clone();
    let failed = report("failed", "evt-1").await;
    assert_eq!((&failed["phase"], &failed["status"]), (&json!("past_due"), &json!(1)));
    assert_eq!(failed["overdue"], json!([invoice]));
    assert!(failed["graceEndsOn"].is_string());
    assert_eq!(report("failed", "evt-1").await, failed);

    let paid = report("succeeded", "evt-2").await;
    assert_eq!((&paid["phase"], &paid["overdue"]), (&json!("active"), &json!([])));
    assert_eq!(invoices(&app, &tenant).await[0]["status"], 1);
    assert_eq!(report("failed", "evt-1").await["phase"], "active", "the signal is known");
    assert_eq!(report("failed", "evt-3").await["phase"], "active", "the invoice is paid");

    let both = join_all((0..8).map(|_| report("succeeded", "evt-4"))).await;
    assert!(both.iter().all(|shown| shown["phase"] == "active"));
    let unknown = json!({ "outcome": "failed", "reference": "x", "invoiceId": id });
    app.act_on(&id, "payments", &unknown).await.expect(404);
    let longest = json!({ "outcome": "failed", "reference": "\u{1f600}".repeat(250) });
    app.act_on(&id, "payments", &longest).await.expect(200);
}

#[tokio::test]
async fn a_change_shows_its_price_first_and_takes_effect_now_or_later() {
    let app = App::start().await;
    let tenant = app.tenant_in_use("acme").await;
    let (small, large) = (
        app.active_plan(&json!({})).await,
        app.active_plan(&json!({ "name": "Large", "price": 60, "features": { "seats": 50 } }))
            .await,
    );
    let id = app.subscribe(&tenant, &small).await.expect(200).text("/id");
    let upgrade = json!({ "planId": large, "proration": "credit" });
    let quote = app.act_on(&id, "change?dryRun=true", &upgrade).await.expect(200).body;
    assert_eq!(quote["needsJob"], json!(false));
    let amounts: Vec<_> = quote["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["type"].clone(), line["amount"].clone()))
        .collect();
    assert_eq!(amounts, [(json!("credit"), json!(30)), (json!("charge"), json!(60))]);
    assert_eq!(app.subscription(&id).await["planId"], json!(small), "nothing has changed");

    let changed = app.act_on(&id, "change", &upgrade).await.expect(200).body;
    assert_eq!((&changed["planId"], &changed["plan"]["price"]), (&json!(large), &json!(60)));
    let lines = changed["adjustments"].as_array().unwrap();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[1]["type"], &lines[1]["amount"]), (&json!("charge"), &json!(60)));

    let later = json!({ "planId": small, "when": "period_end" });
    let waits = app.act_on(&id, "change", &later).await.expect(200).body;
    assert_eq!(waits["planId"], json!(large));
    assert_eq!(waits["pendingChange"]["planId"], json!(small));
    assert_eq!(waits["pendingChange"]["on"], waits["currentPeriodEnd"]);

    let silo = app.active_plan(&json!({ "tier": "PREMIUM" })).await;
    for when in ["now", "period_end"] {
        let moves = json!({ "planId": silo, "when": when });
        let quote = app.act_on(&id, "change?dryRun=true", &moves).await.expect(200).body;
        assert_eq!(quote["needsJob"], json!(true));
    }
    let used = app.client.delete(&app.operator, &format!("/plans/{small}")).await.expect(409);
    assert_eq!(used.body["error"]["code"], "PLAN_IN_USE");
}

#[tokio::test]
async fn only_renewal_and_metadata_can_be_set_directly() {
    let app = App::start().await;
    let (tenant, plan) = (app.tenant_in_use("acme").await, app.active_plan(&json!({})).await);
    let made = app.subscribe(&tenant, &plan).await.expect(200);
    let path = format!("/subscriptions/{}", made.text("/id"));
    app.client.send_text(Method::PATCH, &app.operator, &path, &made.raw).await.expect(204);
    let details = json!({ "autoRenew": false, "metaData": { "erp": "A-1" } });
    app.client.patch(&app.operator, &path, &details).await.expect(204);
    let read = app.read(&path).await.body;
    assert_eq!((&read["autoRenew"], &read["metaData"]), (&json!(false), &json!({ "erp": "A-1" })));
    assert_eq!(read["currentPeriodEnd"], made.body["currentPeriodEnd"]);
    for (member, value, action) in [
        ("planId", json!(tenant), "change"),
        ("plan", json!({}), "change"),
        ("status", json!(3), "cancel"),
        ("overdue", json!([tenant]), "payments"),
    ] {
        let body = json!({ member: value });
        let refused = app.client.patch(&app.operator, &path, &body).await.expect(409);
        assert_eq!(refused.body["error"]["code"], "USE_ACTION", "{member}");
        assert!(refused.text("/error/message").contains(&format!("\"{action}\"")), "{member}");
    }
    app.client.patch(&app.operator, &path, &json!({ "price": 0 })).await.expect(422);
    app.settle().await;
    assert_eq!(app.read("/subscriptions/expire-soon?days=40").await.items().len(), 1);
}

#[tokio::test]
async fn deprovisioning_and_deletion_cancel_the_subscription() {
    let app = App::start().await;
    let plan = app.active_plan(&json!({})).await;
    let tenant = app.tenant_in_use("acme").await;
    let id = app.subscribe(&tenant, &plan).await.expect(200).text("/id");
    let path = format!("/tenants/{tenant}/deprovision");
    app.client.post(&app.operator, &path, &json!(null)).await.expect(204);
    app.wait_for_status(&tenant, 5).await;
    assert_eq!(app.subscription(&id).await["phase"], "cancelled");
    let gone = app.subscribe(&tenant, &plan).await.expect(409);
    assert_eq!(gone.body["error"]["code"], "TENANT_STATE");

    let other = app.tenant("other").await;
    let pending = app.subscribe(&other, &plan).await.expect(200).text("/id");
    for tenant in [&tenant, &other] {
        app.client.delete(&app.operator, &format!("/tenants/{tenant}")).await.expect(204);
    }
    app.settle().await;
    for (kind, times) in
        [("SUBSCRIPTION_CREATED", 2), ("SUBSCRIPTION_ACTIVATED", 1), ("SUBSCRIPTION_CANCELLED", 2)]
    {
        assert_eq!(app.events_of(kind).len(), times, "{kind}");
    }
    for id in [&id, &pending] {
        app.client.get(&app.operator, &format!("/subscriptions/{id}")).await.expect(404);
    }
    assert!(app.read("/subscriptions").await.items().is_empty());
    assert_eq!(app.count("/subscriptions").await, 0);
    assert!(app.items_of("timer").is_empty());
    assert!(app.items_of("current-subscription").is_empty());
}

#[tokio::test]
async fn every_change_is_an_event_and_an_entry_of_the_audit_log() {
    let app = App::start().await;
    let (tenant, plan) = (app.tenant_in_use("acme").await, app.active_plan(&json!({})).await);
    let id = app.subscribe(&tenant, &plan).await.expect(200).text("/id");
    app.act_on(&id, "cancel", &json!({})).await.expect(200);
    app.act_on(&id, "resume", &json!({})).await.expect(200);
    app.act_on(&id, "payments", &json!({ "outcome": "failed", "reference": "1" }))
        .await
        .expect(200);
    app.act_on(&id, "cancel", &json!({ "when": "now" })).await.expect(200);
    app.settle().await;
    for (kind, times) in [
        ("SUBSCRIPTION_CREATED", 1),
        ("SUBSCRIPTION_ACTIVATED", 1),
        ("SUBSCRIPTION_CANCEL_SCHEDULED", 1),
        ("SUBSCRIPTION_CHANGED", 1),
        ("SUBSCRIPTION_PAST_DUE", 1),
        ("SUBSCRIPTION_CANCELLED", 1),
        ("ENTITLEMENTS_CHANGED", 2),
    ] {
        assert_eq!(app.events_of(kind).len(), times, "{kind}");
    }
    let created = app.events_of("SUBSCRIPTION_CREATED").remove(0);
    assert_eq!(created["detail"]["id"], format!("{id}#1#SUBSCRIPTION_CREATED"));
    assert_eq!(created["detail"]["subscription"]["id"], json!(id));
    assert_eq!(created["detail"]["subscription"]["tenantId"], json!(tenant));
    assert!(created["detail"]["requestId"].is_string());
    let entries = app.read(&format!("/tenants/{tenant}/audit")).await;
    let actions = entries.each("action");
    for action in ["created", "updated", "past_due", "cancelled"] {
        assert!(actions.contains(&json!(format!("subscription.{action}"))), "{action} {actions:?}");
    }
}
