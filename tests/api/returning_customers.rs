//! Customers whose subscription has ended, who return on a plan of another tier.

use serde_json::{Value, json};
use support::App;

use crate::{
    auto_deprovision::{ON, become_due, removals, timers},
    moves::{job_of, report},
};

/// A tenant of the tier BASIC that was suspended because its subscription was cancelled, and a new
/// subscription to a plan of the tier PREMIUM, for which a job moves it.
struct Returning {
    tenant: String,
    subscription: String,
    job: String,
}

impl Returning {
    async fn new(app: &App) -> Self {
        let tenant = app.tenant_in_use("acme").await;
        let (basic, silo) = (json!({}), json!({ "name": "Large", "tier": "PREMIUM" }));
        let (basic, premium) = (app.active_plan(&basic).await, app.active_plan(&silo).await);
        let first = app.subscribe(&tenant, &basic).await.expect(200).text("/id");
        app.act_on(&first, "cancel", &json!({ "when": "now" })).await.expect(200);
        app.settle().await;
        app.local().end_pipelines_with(local::Outcome::Silent);
        let accepted = app.subscribe(&tenant, &premium).await.expect(202);
        Self { tenant, subscription: accepted.text("/id"), job: job_of(&accepted) }
    }

    async fn read(&self, app: &App) -> Value {
        app.settle().await;
        app.read(&format!("/tenants/{}", self.tenant)).await.body
    }

    async fn phase(&self, app: &App) -> Value {
        app.subscription(&self.subscription).await["phase"].clone()
    }
}

fn success() -> Value {
    json!({ "type": 2, "data": { "status": 1, "resources": [
        { "type": "bucket", "externalIdentifier": "acme" }] } })
}

#[tokio::test]
async fn the_tenant_is_active_again_when_it_has_moved() {
    let app = App::with_variables(&ON).await;
    let one = Returning::new(&app).await;
    let read = one.read(&app).await;
    assert_eq!((&read["status"], &read["tier"]), (&json!(6), &json!("BASIC")));
    assert_eq!((one.phase(&app).await, timers(&app).len()), (json!("pending"), 1));
    for action in ["suspend", "reactivate", "deprovision"] {
        let path = format!("/tenants/{}/{action}", one.tenant);
        app.client.post(&app.operator, &path, &json!({})).await.expect(409);
    }
    for _ in 0..2 {
        report(&app, &one.tenant, &one.job, success()).await.expect(204);
    }
    let read = one.read(&app).await;
    assert_eq!((&read["status"], &read["tier"]), (&json!(0), &json!("PREMIUM")));
    assert_eq!((&read["suspension"], one.phase(&app).await), (&Value::Null, json!("active")));
    assert!(timers(&app).is_empty(), "it is no longer deprovisioned");
    assert_eq!(app.events_of("TENANT_REACTIVATED").len(), 1);
    assert_eq!(app.events_of("TENANT_CHANGING_SUCCESS").len(), 1);
    let invoices = app.read("/invoices").await;
    assert_eq!(invoices.items().len(), 2, "one for each subscription");
    assert_eq!(app.read("/overview").await.body["tenants"], json!([1, 0, 0, 0, 0, 0, 0]));
    let log = app.read(&format!("/tenants/{}/audit", one.tenant)).await;
    assert!(log.each("action").contains(&json!("tenant.reactivated")), "{:?}", log.each("action"));
}

#[tokio::test]
async fn a_failed_move_leaves_the_tenant_suspended() {
    let app = App::with_variables(&ON).await;
    let one = Returning::new(&app).await;
    let before = one.read(&app).await["suspension"].clone();
    let failure = json!({ "type": 2, "data": { "status": 0, "reason": "no room" } });
    report(&app, &one.tenant, &one.job, failure).await.expect(204);
    let read = one.read(&app).await;
    assert_eq!((&read["status"], &read["tier"]), (&json!(6), &json!("BASIC")));
    assert_eq!((&read["suspension"], one.phase(&app).await), (&before, json!("pending")));
    assert_eq!(timers(&app).len(), 1);
    assert!(app.events_of("TENANT_REACTIVATED").is_empty());
}

#[tokio::test]
async fn a_failed_move_keeps_the_resources_until_the_new_subscription_ends() {
    let app = App::with_variables(&ON).await;
    let one = Returning::new(&app).await;
    let failure = json!({ "type": 2, "data": { "status": 0, "reason": "no room" } });
    report(&app, &one.tenant, &one.job, failure).await.expect(204);
    app.settle().await;
    become_due(&app);
    app.reconcile().await;
    assert_eq!((removals(&app).len(), timers(&app).len()), (0, 1));
    assert_eq!(
        (&one.read(&app).await["status"], one.phase(&app).await),
        (&json!(6), json!("pending"))
    );

    app.act_on(&one.subscription, "cancel", &json!({})).await.expect(200);
    app.settle().await;
    become_due(&app);
    app.reconcile().await;
    assert_eq!((removals(&app).len(), timers(&app).len()), (1, 0));
    assert_eq!(one.read(&app).await["status"], 4);
}

#[tokio::test]
async fn a_customer_who_cancels_during_the_move_stays_suspended() {
    let app = App::start().await;
    let one = Returning::new(&app).await;
    app.act_on(&one.subscription, "cancel", &json!({})).await.expect(200);
    report(&app, &one.tenant, &one.job, success()).await.expect(204);
    let read = one.read(&app).await;
    assert_eq!((&read["status"], &read["tier"]), (&json!(6), &json!("PREMIUM")));
    assert_eq!(one.phase(&app).await, "cancelled");
    assert_eq!(app.items_of("invoice").len(), 1);
}

#[tokio::test]
async fn a_tenant_that_an_operator_suspended_is_not_moved() {
    let app = App::start().await;
    let tenant = app.tenant_in_use("acme").await;
    let premium = app.active_plan(&json!({ "tier": "PREMIUM" })).await;
    let path = format!("/tenants/{tenant}/suspend");
    app.client.post(&app.operator, &path, &json!({ "reason": "abuse" })).await.expect(204);
    let refused = app.subscribe(&tenant, &premium).await.expect(409);
    assert_eq!(refused.body["error"]["code"], "TENANT_STATE");
    assert!(app.items_of("subscription").is_empty());
}
