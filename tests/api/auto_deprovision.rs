//! Tenants that are deprovisioned some days after the cancellation of their subscription.

use serde_json::{Value, json};
use support::{App, Reply, eventually, join_all, run_alone};

pub(crate) const ON: [(&str, &str); 2] = [("AUTO_DEPROVISION", "true"), ("RETENTION_DAYS", "10")];

/// A tenant in use with a subscription.
struct Customer {
    tenant: String,
    plan: String,
    subscription: String,
}

impl Customer {
    async fn new(app: &App) -> Self {
        let tenant = app.tenant_in_use("acme").await;
        let plan = app.active_plan(&json!({})).await;
        let subscription = app.subscribe(&tenant, &plan).await.expect(200).text("/id");
        app.settle().await;
        Self { tenant, plan, subscription }
    }

    /// Returns a tenant whose subscription was cancelled.
    async fn cancelled(app: &App) -> Self {
        let one = Self::new(app).await;
        let now = json!({ "when": "now" });
        app.act_on(&one.subscription, "cancel", &now).await.expect(200);
        app.settle().await;
        one
    }

    async fn act(&self, app: &App, action: &str) -> Reply {
        let path = format!("/tenants/{}/{action}", self.tenant);
        app.client.post(&app.operator, &path, &json!({})).await
    }

    async fn read(&self, app: &App) -> Value {
        app.read(&format!("/tenants/{}", self.tenant)).await.body
    }

    async fn wait_until_removed(&self, app: &App) {
        app.wait_for_status(&self.tenant, 5).await;
        app.settle().await;
    }
}

/// Returns the jobs that remove resources.
pub(crate) fn removals(app: &App) -> Vec<Value> {
    let mut jobs = app.items_of("job");
    jobs.retain(|job| job["kind"]["S"] == "deprovision");
    jobs
}

/// Returns the timers that deprovision a tenant.
pub(crate) fn timers(app: &App) -> Vec<Value> {
    let mut timers = app.items_of("timer");
    timers.retain(|timer| timer["action"]["S"] == "deprovision");
    timers
}

/// Lets the time of the timer come.
pub(crate) fn become_due(app: &App) {
    let past = "2026-01-01T00:00:00.000Z";
    let mut tenant = app.items_of("tenant").remove(0);
    if tenant["suspension"]["M"]["deprovisionOn"].is_null() {
        return;
    }
    tenant["suspension"]["M"]["deprovisionOn"]["S"] = json!(past);
    let mut items = timers(app);
    for timer in &mut items {
        timer["at"]["S"] = json!(past);
        let rest = timer["gsi1sk"]["S"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
        timer["gsi1sk"]["S"] = json!(format!("{past}#{rest}"));
    }
    items.push(tenant);
    app.import(items);
}

#[tokio::test]
async fn a_cancelled_tenant_is_deprovisioned_after_its_retention_and_once() {
    run_alone!(a_cancelled_tenant_is_deprovisioned_after_its_retention_and_once);
    let mut app = App::with_variables(&ON).await;
    let one = Customer::new(&app).await;
    app.act_on(&one.subscription, "cancel", &json!({})).await.expect(200);
    app.advance("32d").await;
    let read = one.read(&app).await;
    let suspension = &read["suspension"];
    assert_eq!((&read["status"], &suspension["reason"]), (&json!(6), &json!("cancelled")));
    let time = |name: &str| suspension[name].as_str().unwrap().parse::<schema::Timestamp>();
    let kept = time("deprovisionOn").unwrap().since(time("since").unwrap());
    assert_eq!(kept.as_secs(), 10 * 24 * 3600);
    assert_eq!(timers(&app).len(), 1);
    // The period had 28 to 31 days.
    app.advance("5d").await;
    assert_eq!(removals(&app).len(), 0, "10 days have not passed");
    app.advance("5d").await;
    one.wait_until_removed(&app).await;
    join_all((0..3).map(|_| app.reconcile())).await;
    app.settle().await;

    assert_eq!((removals(&app).len(), timers(&app).len()), (1, 0));
    assert_eq!(one.read(&app).await["suspension"], Value::Null);
    for kind in ["TENANT_SUSPENDED", "TENANT_DEPROVISIONING", "TENANT_DEPROVISIONING_SUCCESS"] {
        assert_eq!(app.events_of(kind).len(), 1, "{kind}");
    }
    let event = &app.events_of("TENANT_SUSPENDED")[0]["detail"];
    assert_eq!(event["tenant"]["suspension"]["deprovisionOn"], suspension["deprovisionOn"]);
    let entries = app.read(&format!("/tenants/{}/audit?limit=50", one.tenant)).await;
    let opened = entries.items().iter().find(|entry| entry["action"] == "job.opened").unwrap();
    assert_eq!((&opened["actor"]["type"], &opened["via"]), (&json!("system"), &json!("system")));
    let mails = app.emails_to("ops@acme.test");
    for subject in ["Your subscription is cancelled", "Your workspace is suspended"] {
        let says = |mail: &&Value| mail["subject"].as_str().unwrap().starts_with(subject);
        let mail = mails.iter().find(says).unwrap().to_string();
        assert!(mail.contains("ts data is deleted on "), "{mail}");
    }
    assert_eq!((app.job_secrets().len(), app.dead_letters()), (0, 0));
}

#[tokio::test]
async fn resources_are_kept_by_default_and_after_an_expiry() {
    run_alone!(resources_are_kept_by_default_and_after_an_expiry);
    let mut app = App::start().await;
    let one = Customer::cancelled(&app).await;
    assert_eq!(one.read(&app).await["suspension"]["deprovisionOn"], Value::Null);
    assert_eq!(timers(&app), Vec::<Value>::new());
    app.advance("400d").await;
    assert_eq!((one.read(&app).await["status"].clone(), removals(&app).len()), (json!(6), 0));
    app.stop().await;

    let mut app = App::with_variables(&ON).await;
    let one = Customer::new(&app).await;
    let path = format!("/subscriptions/{}", one.subscription);
    app.client.patch(&app.operator, &path, &json!({ "autoRenew": false })).await.expect(204);
    app.advance("100d").await;
    let read = one.read(&app).await;
    assert_eq!((&read["status"], &read["suspension"]["reason"]), (&json!(6), &json!("expired")));
    assert_eq!((removals(&app).len(), timers(&app).len()), (0, 0));
}

#[tokio::test]
async fn whoever_comes_back_in_time_keeps_the_resources() {
    let app = App::with_variables(&ON).await;
    for (action, status) in [("reactivate", 0), ("suspend", 6), ("subscribe", 0)] {
        let key = format!("a{}", action.len());
        let tenant = app.tenant_in_use(&key).await;
        let plan = app.active_plan(&json!({})).await;
        let subscription = app.subscribe(&tenant, &plan).await.expect(200).text("/id");
        let one = Customer { tenant, plan, subscription };
        let now = json!({ "when": "now" });
        app.act_on(&one.subscription, "cancel", &now).await.expect(200);
        let timer = timers(&app).pop().unwrap();
        match action {
            "subscribe" => drop(app.subscribe(&one.tenant, &one.plan).await.expect(200)),
            _ => drop(one.act(&app, action).await.expect(204)),
        }
        assert_eq!(timers(&app), Vec::<Value>::new(), "{action}");
        // A timer that a run has read before acts on the tenant as it is.
        let mut late = timer;
        late["gsi1sk"]["S"] = json!("2026-01-01T00:00:00.000Z#x#deprovision");
        assert!(app.put_item(&late).await);
        app.reconcile().await;
        let read = one.read(&app).await;
        assert_eq!(read["status"], status, "{action}");
        assert_eq!((removals(&app).len(), timers(&app).len()), (0, 0), "{action}");
    }
}

#[tokio::test]
async fn the_time_of_a_removal_does_not_follow_other_edits() {
    let app = App::with_variables(&ON).await;
    let one = Customer::cancelled(&app).await;
    let before = one.read(&app).await["suspension"].clone();
    let path = format!("/tenants/{}", one.tenant);
    app.client.patch(&app.operator, &path, &json!({ "name": "Other" })).await.expect(204);
    assert_eq!(one.read(&app).await["suspension"], before);
    become_due(&app);
    app.reconcile().await;
    one.wait_until_removed(&app).await;
}

#[tokio::test]
async fn runs_and_requests_at_once_open_one_removal() {
    let app = App::with_variables(&ON).await;
    let one = Customer::cancelled(&app).await;
    become_due(&app);
    app.local().end_pipelines_with(local::Outcome::Silent);
    let run = async || {
        app.reconcile().await;
        None
    };
    let asked = async || Some(one.act(&app, "deprovision").await.status);
    let all = (0..8).map(async |n| if n % 2 == 0 { run().await } else { asked().await });
    let answers = join_all(all).await;
    let opened = answers.iter().filter(|status| **status == Some(204)).count();
    assert!(opened <= 1, "{answers:?}");
    assert_eq!((removals(&app).len(), timers(&app).len()), (1, 0));
    assert_eq!(one.read(&app).await["status"], 4);
    assert_eq!(one.read(&app).await["suspension"]["deprovisionOn"], Value::Null);
}

#[tokio::test]
async fn whoever_comes_back_while_the_clock_runs_is_either_removed_or_kept() {
    for round in 0..4 {
        let app = App::with_variables(&ON).await;
        let one = Customer::cancelled(&app).await;
        become_due(&app);
        app.local().end_pipelines_with(local::Outcome::Silent);
        let all = (0..8).map(async |n: u32| match n % 4 {
            0 | 1 => {
                app.reconcile().await;
                0
            }
            2 if round % 2 == 0 => one.act(&app, "reactivate").await.status,
            _ => app.subscribe(&one.tenant, &one.plan).await.status,
        });
        let answers = join_all(all).await;
        let (read, removed) = (one.read(&app).await, removals(&app).len());
        let back = answers.iter().any(|status| matches!(status, 200 | 204));
        let subscribed = app.items_of("current-subscription").len();
        match read["status"].as_u64().unwrap() {
            0 => assert_eq!((removed, back, &read["suspension"]), (0, true, &Value::Null)),
            4 => assert_eq!((removed, subscribed), (1, 0), "{answers:?}"),
            other => panic!("{other}: {answers:?}"),
        }
        assert_eq!(timers(&app).len(), 0, "{answers:?}");
    }
}

#[tokio::test]
async fn an_open_job_delays_a_removal_and_a_failed_one_is_left_to_operators() {
    let app = App::with_variables(&ON).await;
    let one = Customer::new(&app).await;
    let silo = json!({ "name": "Large", "tier": "PREMIUM" });
    let silo = app.active_plan(&silo).await;
    let accepted = app.act_on(&one.subscription, "change", &json!({ "planId": silo })).await;
    accepted.expect(202);
    eventually("the move", async || (one.read(&app).await["tier"] == "PREMIUM").then_some(()))
        .await;
    app.act_on(&one.subscription, "cancel", &json!({ "when": "now" })).await.expect(200);
    app.settle().await;
    app.local().end_pipelines_with(local::Outcome::Silent);
    one.act(&app, "retire").await.expect(204);
    become_due(&app);
    app.reconcile().await;
    assert_eq!((removals(&app).len(), timers(&app).len()), (0, 1), "a job is open");

    let mut broken = timers(&app).remove(0);
    broken["pk"]["S"] = "TIMER#tenant#x".into();
    broken["gsi1sk"]["S"] = "2025-01-01T00:00:00.000Z#x#deprovision".into();
    broken["subject"] = json!({ "S": "x" });
    assert!(app.put_item(&broken).await);
    app.local().end_pipelines_with(local::Outcome::Failure);
    let mut job = app.items_of("job").into_iter().find(|job| job["kind"]["S"] == "retire").unwrap();
    let late = "2026-01-01T00:00:00.000Z";
    job["deadline"]["S"] = json!(late);
    job["gsi1sk"]["S"] = json!(format!("{late}#{}", job["id"]["S"].as_str().unwrap()));
    app.settle().await;
    assert!(app.put_item(&job).await);
    app.reconcile().await;
    become_due(&app);
    app.reconcile().await;
    eventually("the failure", async || {
        let failed = app.events_of("TENANT_DEPROVISIONING_FAILURE").len();
        (failed == 1).then_some(())
    })
    .await;
    let read = one.read(&app).await;
    assert_eq!((&read["status"], &read["suspension"]["reason"]), (&json!(6), &json!("cancelled")));
    assert_eq!(read["suspension"]["deprovisionOn"], Value::Null);
    let left = timers(&app);
    assert!(left.iter().all(|timer| timer["pk"]["S"] == "TIMER#tenant#x"), "{left:?}");
    assert_eq!(removals(&app).len(), 1);
    assert_eq!(app.read("/overview").await.body["attention"][0]["status"], 6);
    app.pipelines_succeed();
    one.act(&app, "deprovision").await.expect(204);
    one.wait_until_removed(&app).await;
}
