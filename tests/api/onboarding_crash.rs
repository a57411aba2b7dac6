//! Crash recovery between sign-up and active tenant.

use local::Call;
use serde_json::{Value, json};
use support::{App, lead, subscription};

use crate::crash::{Flow, send, stop_again_and_again};

/// A lead signs up and sends its own terms.
struct SignUp;

/// An operator provisions a tenant by plan.
struct ByPlan;

impl Flow for SignUp {
    const NAME: &str = "sign-up";

    async fn prepare(_: &App) {}

    async fn run(app: &App) {
        let id = send(app, "", "/leads", &lead("ada@acme.test")).await.expect(200).text("/id");
        let verify = format!("/leads/{id}/verify");
        let verified = send(app, &app.verification_key(&id), &verify, &json!(null)).await;
        let token = verified.expect(200).text("/token");
        let body = json!({ "key": "acme", "domains": ["acme.test"] });
        let made = send(app, &token, &format!("/leads/{id}/tenants"), &body).await;
        provision(app, &token, &made.expect(200).text("/id"), &subscription("PREMIUM")).await;
    }

    fn check(app: &App, completed: &[Call]) {
        let last = completed.last();
        assert_eq!(app.items_of("lead").len(), 1, "{last:?}");
        assert_eq!(app.events_of("LEAD_CREATED").len(), 1, "{last:?}");
        check_build(app, completed, 2);
    }
}

impl Flow for ByPlan {
    const NAME: &str = "by-plan";

    async fn prepare(app: &App) {
        app.active_plan(&json!({ "tier": "PREMIUM" })).await;
        app.tenant("acme").await;
        app.settle().await;
    }

    async fn run(app: &App) {
        let id = |kind| app.items_of(kind)[0]["id"]["S"].as_str().unwrap().to_owned();
        let body = json!({ "planId": id("plan") });
        provision(app, &app.operator, &id("tenant"), &body).await;
    }

    fn check(app: &App, completed: &[Call]) {
        let last = completed.last();
        check_build(app, completed, 1);
        let subscriptions = app.items_of("subscription");
        let phases: Vec<_> = subscriptions.iter().map(|item| item["phase"]["S"].clone()).collect();
        assert_eq!(phases, ["active"], "{last:?}");
        assert_eq!(app.items_of("invoice").len(), 1, "{last:?}");
        for kind in ["SUBSCRIPTION_CREATED", "SUBSCRIPTION_ACTIVATED", "ENTITLEMENTS_CHANGED"] {
            assert_eq!(app.events_of(kind).len(), 1, "{kind}, {last:?}");
        }
    }
}

async fn provision(app: &App, bearer: &str, tenant: &str, body: &Value) {
    send(app, bearer, &format!("/tenants/{tenant}/provision"), body).await.expect(204);
    app.wait_for_status(tenant, 0).await;
    app.settle().await;
}

/// Checks that the tenant was built once, and that `once` emails were sent once.
fn check_build(app: &App, completed: &[Call], once: usize) {
    let last = completed.last();
    assert_eq!(app.items_of("tenant").len(), 1, "{last:?}");
    for kind in ["TENANT_PROVISIONING", "TENANT_PROVISIONING_SUCCESS"] {
        assert_eq!(app.events_of(kind).len(), 1, "{kind}, {last:?}");
    }
    assert_eq!((app.executions(), app.dead_letters()), (1, 0), "{last:?}");
    assert_eq!(app.items_of("resource").len(), 3, "{last:?}");
    let states: Vec<Value> =
        app.items_of("job").iter().map(|job| job["state"]["S"].clone()).collect();
    assert_eq!(states, ["succeeded"], "{last:?}");
    assert_eq!(app.job_secrets(), Vec::<String>::new(), "{last:?}");

    // SES has no idempotency token. If the mailer is stopped after SES has answered and before that
    // is recorded, it sends the email again. The last call was accepted, but may have had no effect.
    let calls = completed.iter().filter(|call| call.caller == "mailer");
    let recorded = last.is_some_and(|call| call.caller == "mailer" && call.action == "PutItem");
    let mailer = calls.rev().nth(usize::from(recorded));
    let in_doubt = usize::from(mailer.is_some_and(|call| call.action == "SendEmail"));
    let mails = app.emails().len();
    assert!((once..=once + in_doubt).contains(&mails), "{mails} emails, {last:?}");
}

#[test]
fn onboarding_resumes_after_a_stop_before_even_calls() {
    stop_again_and_again::<SignUp>(0);
}

#[test]
fn onboarding_resumes_after_a_stop_before_odd_calls() {
    stop_again_and_again::<SignUp>(1);
}

#[test]
fn provisioning_by_plan_resumes_after_a_stop_before_even_calls() {
    stop_again_and_again::<ByPlan>(0);
}

#[test]
fn provisioning_by_plan_resumes_after_a_stop_before_odd_calls() {
    stop_again_and_again::<ByPlan>(1);
}
