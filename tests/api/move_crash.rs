//! Crash recovery of a move: the process is stopped before each AWS call, and restarted on the same
//! data. The tenant must be moved, and its old resources removed, with every effect exactly once.

use std::time::Duration;

use local::Call;
use serde_json::{Value, json};
use support::{App, Options, eventually};
use tokio::runtime::Runtime;

use crate::crash::{Folder, send};

/// Creates a tenant in use with a subscription, and a plan of another tier.
async fn prepare(app: &App) {
    let tenant = app.tenant_in_use("acme").await;
    let basic = app.active_plan(&json!({})).await;
    app.active_plan(&json!({ "name": "Large", "tier": "PREMIUM" })).await;
    app.subscribe(&tenant, &basic).await.expect(200);
    app.settle().await;
}

/// Moves the tenant to the plan of the tier PREMIUM, and removes its old resources.
async fn move_and_retire(app: &App) {
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

/// Stops the process after `calls` AWS calls and restarts it. Returns false if it makes no more
/// calls than that.
fn stop_and_resume(calls: usize) -> bool {
    let folder = Folder::new(&format!("move-{calls}"));
    let options = || Options::succeeding().data_in(&folder.0);
    let first = Runtime::new().unwrap();
    let stopped = first.block_on(async {
        let app = App::with_options(options()).await;
        prepare(&app).await;
        app.local().calls().clear();
        app.local().calls().freeze_after(calls);
        let frozen = eventually("the stop", async || app.local().calls().is_frozen().then_some(()));
        tokio::select! {
            () = frozen => Some(app.local().calls().all()),
            () = move_and_retire(&app) => None,
        }
    });
    first.shutdown_timeout(Duration::ZERO);
    let Some(completed) = stopped else { return false };
    Runtime::new().unwrap().block_on(async {
        let app = App::with_options(options()).await;
        move_and_retire(&app).await;
        check(&app, &completed);
        app.stop().await;
    });
    true
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

/// Stops before every second call from `first` on, so that two tests share the work.
fn stop_before_every_second_call(first: usize) {
    let stops = (first..).step_by(2).take_while(|calls| stop_and_resume(*calls)).count();
    assert!(stops >= 10, "only {stops} stops: does the flow make fewer calls now?");
}

#[test]
fn a_move_resumes_after_a_stop_before_any_even_call() {
    stop_before_every_second_call(0);
}

#[test]
fn a_move_resumes_after_a_stop_before_any_odd_call() {
    stop_before_every_second_call(1);
}
