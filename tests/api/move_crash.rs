//! Crash recovery of a move.

use local::Call;
use serde_json::{Value, json};
use support::{App, eventually};

use crate::crash::{Flow, send, stop_again_and_again};

/// A tenant in use is moved to another tier, and its old resources are removed.
struct MoveAndRetire;

impl Flow for MoveAndRetire {
    const NAME: &str = "move";

    async fn prepare(app: &App) {
        let tenant = app.tenant_in_use("acme").await;
        let basic = app.active_plan(&json!({})).await;
        app.active_plan(&json!({ "name": "Large", "tier": "PREMIUM" })).await;
        app.subscribe(&tenant, &basic).await.expect(200);
        app.settle().await;
    }

    async fn run(app: &App) {
        let premium = app.items_of("plan").into_iter().find(|plan| plan["tier"]["S"] == "PREMIUM");
        let body = json!({ "planId": premium.unwrap()["id"]["S"] });
        let subscription = app.items_of("subscription").remove(0);
        let id = |name: &str| subscription[name]["S"].as_str().unwrap().to_owned();
        let change = format!("/subscriptions/{}/change", id("id"));
        send(app, &app.operator, &change, &body).await.expect(202);
        let tenant = format!("/tenants/{}", id("tenantId"));
        eventually("the move", async || {
            (app.read(&tenant).await.body["tier"] == "PREMIUM").then_some(())
        })
        .await;
        send(app, &app.operator, &format!("{tenant}/retire"), &json!({})).await.expect(204);
        eventually("the retirement", async || {
            app.read(&tenant).await.body["previous"].is_null().then_some(())
        })
        .await;
        app.settle().await;
    }

    fn check(app: &App, completed: &[Call]) {
        let last = completed.last();
        for kind in [
            "TENANT_CHANGING",
            "TENANT_CHANGING_SUCCESS",
            "TENANT_RETIRING",
            "TENANT_RETIRING_SUCCESS",
            "SUBSCRIPTION_CHANGED",
        ] {
            assert_eq!(app.events_of(kind).len(), 1, "{kind}, {last:?}");
        }
        assert_eq!((app.executions(), app.dead_letters()), (3, 0), "{last:?}");
        let states: Vec<Value> =
            app.items_of("job").iter().map(|job| job["state"]["S"].clone()).collect();
        assert_eq!(states, ["succeeded"; 3], "{last:?}");
        assert!(app.items_of("timer").iter().all(|timer| timer["action"]["S"] != "retire"));
        assert_eq!(app.job_secrets(), Vec::<String>::new(), "{last:?}");
    }
}

#[test]
fn a_move_resumes_after_a_stop_before_even_calls() {
    stop_again_and_again::<MoveAndRetire>(0);
}

#[test]
fn a_move_resumes_after_a_stop_before_odd_calls() {
    stop_again_and_again::<MoveAndRetire>(1);
}
