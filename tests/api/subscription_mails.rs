//! Emails to the contact of a tenant about its subscription.

use serde_json::{Value, json};
use support::App;

/// Starts a control plane with a subscribed tenant. Returns it with the ID of the subscription.
async fn subscribed(plan: &Value) -> (App, String) {
    let app = App::start().await;
    let (tenant, plan) = (app.tenant_in_use("acme").await, app.active_plan(plan).await);
    let id = app.subscribe(&tenant, &plan).await.expect(200).text("/id");
    (app, id)
}

/// Returns the emails to the tenant's contact after the one that welcomes it, the newest first.
fn mails(app: &App) -> Vec<Value> {
    let mut mails = app.emails_to("ops@acme.test");
    mails.retain(|mail| mail["subject"] != "Acme is ready on Tenantry");
    mails
}

fn subjects(app: &App) -> Vec<Value> {
    mails(app).into_iter().map(|mail| mail["subject"].clone()).collect()
}

#[tokio::test]
async fn the_contact_hears_before_the_trial_ends() {
    let (app, id) = subscribed(&json!({ "trialDays": 14 })).await;
    app.let_days_pass(12).await;
    app.reconcile().await;
    app.settle().await;
    assert_eq!(subjects(&app), ["Your trial ends soon: Acme on Tenantry"]);
    let event = app.events_of("SUBSCRIPTION_TRIAL_ENDING").remove(0);
    assert!(mails(&app)[0].to_string().contains("subscription to Basic begins"));
    app.invoke("mailer", event.clone()).await.unwrap();
    assert_eq!(subjects(&app).len(), 1, "the event is delivered again");
    app.let_days_pass(3).await;
    app.reconcile().await;
    app.settle().await;
    assert_eq!(app.subscription(&id).await["phase"], "active");
    let mut late = event;
    late["detail"]["id"] = json!("another#1");
    app.invoke("mailer", late).await.unwrap();
    assert_eq!(subjects(&app).len(), 1, "the trial is over");
}

#[tokio::test]
async fn the_contact_hears_of_an_overdue_payment_and_of_a_cancellation() {
    let (app, id) = subscribed(&json!({ "graceDays": 7 })).await;
    let failed = json!({ "outcome": "failed", "reference": "1" });
    for _ in 0..2 {
        app.act_on(&id, "payments", &failed).await.expect(200);
    }
    app.settle().await;
    assert_eq!(subjects(&app), ["A payment is overdue: Acme on Tenantry"]);
    let paid = json!({ "outcome": "succeeded", "reference": "2" });
    app.act_on(&id, "payments", &paid).await.expect(200);
    app.act_on(&id, "cancel", &json!({})).await.expect(200);
    app.settle().await;
    assert_eq!(subjects(&app).len(), 2);
    let last = &mails(&app)[0];
    assert_eq!(last["subject"], "Your subscription is cancelled: Acme on Tenantry");
    assert!(last.to_string().contains("You can use it until "), "{last}");
}
