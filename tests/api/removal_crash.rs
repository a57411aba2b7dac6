//! Crash recovery of a cancellation, and of the deprovisioning that follows.

use local::Call;
use serde_json::{Value, json};
use support::App;

use crate::{
    auto_deprovision::{ON, become_due, timers},
    crash::{Flow, send, stop_again_and_again},
};

/// The subscription of a tenant in use is cancelled, and its resources are removed on time.
struct CancelAndRemove;

impl Flow for CancelAndRemove {
    const NAME: &str = "removal";

    const VARIABLES: &[(&str, &str)] = &ON;

    async fn prepare(app: &App) {
        let tenant = app.tenant_in_use("acme").await;
        let plan = app.active_plan(&json!({})).await;
        app.subscribe(&tenant, &plan).await.expect(200);
        app.settle().await;
    }

    async fn run(app: &App) {
        let subscription = app.items_of("subscription").remove(0);
        let id = |name: &str| subscription[name]["S"].as_str().unwrap().to_owned();
        let cancel = format!("/subscriptions/{}/cancel", id("id"));
        send(app, &app.operator, &cancel, &json!({ "when": "now" })).await.expect(200);
        app.settle().await;
        become_due(app);
        app.reconcile().await;
        app.wait_for_status(&id("tenantId"), 5).await;
        app.settle().await;
    }

    fn check(app: &App, completed: &[Call]) {
        let last = completed.last();
        for kind in [
            "SUBSCRIPTION_CANCELLED",
            "TENANT_SUSPENDED",
            "TENANT_DEPROVISIONING",
            "TENANT_DEPROVISIONING_SUCCESS",
        ] {
            assert_eq!(app.events_of(kind).len(), 1, "{kind}, {last:?}");
        }
        assert_eq!((app.executions(), app.dead_letters()), (2, 0), "{last:?}");
        let states: Vec<Value> =
            app.items_of("job").iter().map(|job| job["state"]["S"].clone()).collect();
        assert_eq!(states, ["succeeded"; 2], "{last:?}");
        assert_eq!(timers(app), Vec::<Value>::new(), "{last:?}");
        assert_eq!(app.job_secrets(), Vec::<String>::new(), "{last:?}");
    }
}

#[test]
fn a_removal_resumes_after_a_stop_before_even_calls() {
    stop_again_and_again::<CancelAndRemove>(0);
}

#[test]
fn a_removal_resumes_after_a_stop_before_odd_calls() {
    stop_again_and_again::<CancelAndRemove>(1);
}
