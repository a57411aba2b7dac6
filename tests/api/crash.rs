//! Crash recovery: the process is stopped before each AWS call between sign-up and active tenant,
//! and restarted on the same data. The tenant must become active, with every event and every effect
//! exactly once.

use std::{path::PathBuf, time::Duration};

use local::Call;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use support::{App, Options, Reply, eventually, lead, subscription};
use tokio::runtime::Runtime;

/// The source of the terms of the tenant.
#[derive(Clone, Copy, Debug)]
enum Terms {
    /// The lead sends them.
    FreeForm,
    /// The lead names a plan of the catalog.
    Plan,
}

impl Terms {
    /// Prepares a new control plane.
    async fn prepare(self, app: &App) {
        if matches!(self, Self::Plan) {
            app.active_plan(&json!({ "tier": "PREMIUM", "public": true })).await;
            app.settle().await;
        }
    }

    fn body(self, app: &App) -> Value {
        match self {
            Self::FreeForm => subscription("PREMIUM"),
            Self::Plan => json!({ "planId": app.items_of("plan")[0]["id"]["S"] }),
        }
    }
}

/// Goes from sign-up to an active tenant, with the same key for each request as before the stop: a
/// request whose answer was lost gets that answer.
async fn onboard(app: &App, terms: Terms) {
    let id = send(app, "", "/leads", &lead("ada@acme.test")).await.expect(200).text("/id");
    let verify = format!("/leads/{id}/verify");
    let verified = send(app, &app.verification_key(&id), &verify, &json!(null)).await;
    let token = verified.expect(200).text("/token");
    let body = json!({ "key": "acme", "domains": ["acme.test"] });
    let made = send(app, &token, &format!("/leads/{id}/tenants"), &body).await;
    let tenant = made.expect(200).text("/id");
    let path = format!("/tenants/{tenant}/provision");
    send(app, &token, &path, &terms.body(app)).await.expect(204);
    app.wait_for_status(&tenant, 0).await;
    app.settle().await;
}

/// Sends a request with a key. A stopped request holds the key until its lease ends.
pub(crate) async fn send(app: &App, bearer: &str, path: &str, body: &Value) -> Reply {
    loop {
        let with_key = |request: RequestBuilder| {
            request.bearer_auth(bearer).header("idempotency-key", "k").json(body)
        };
        let sent = app.client.send(Method::POST, path, with_key).await;
        if sent.body["error"]["code"] != "IDEMPOTENCY_IN_PROGRESS" {
            return sent;
        }
        end_leases(app);
    }
}

/// Moves the end of every lease on a request into the past.
fn end_leases(app: &App) {
    let is_running = |item: &Value| {
        let key = item["pk"]["S"].as_str().unwrap();
        key.starts_with("IDEMPOTENCY#api#") && item["done"]["BOOL"] == false
    };
    let mut running = app.items();
    running.retain(is_running);
    for item in &mut running {
        item["leaseUntil"]["S"] = json!("2000-01-01T00:00:00.000Z");
    }
    app.import(running);
}

/// A folder that is deleted on drop.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        // In memory if possible: each of many starts writes a table, which a disk would make slow.
        let memory = Some(PathBuf::from("/dev/shm")).filter(|memory| memory.is_dir());
        let base = memory.unwrap_or_else(std::env::temp_dir);
        let folder = base.join(format!("tenantry-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Stops the process after `calls` AWS calls and restarts it. Returns false if it makes no more
/// calls than that.
fn stop_and_resume(calls: usize, terms: Terms) -> bool {
    let folder = Folder::new(&format!("{terms:?}-{calls}"));
    let options = || Options::succeeding().data_in(&folder.0);

    let first = Runtime::new().unwrap();
    let stopped = first.block_on(async {
        let app = App::with_options(options()).await;
        terms.prepare(&app).await;
        app.local().calls().clear();
        app.local().calls().freeze_after(calls);
        let frozen = eventually("the stop", async || app.local().calls().is_frozen().then_some(()));
        tokio::select! {
            () = frozen => Some(app.local().calls().all()),
            () = onboard(&app, terms) => None,
        }
    });
    // Ends everything that is running, at once.
    first.shutdown_timeout(Duration::ZERO);
    let Some(completed) = stopped else { return false };

    Runtime::new().unwrap().block_on(async {
        let app = App::with_options(options()).await;
        onboard(&app, terms).await;
        check(&app, &completed);
        if matches!(terms, Terms::Plan) {
            check_subscription(&app, &completed);
        }
        app.stop().await;
    });
    true
}

/// Checks that every event and every effect happened exactly once.
fn check(app: &App, completed: &[Call]) {
    let last = completed.last();
    for kind in ["lead", "tenant"] {
        assert_eq!(app.items_of(kind).len(), 1, "{kind}, {last:?}");
    }
    for kind in ["LEAD_CREATED", "TENANT_PROVISIONING", "TENANT_PROVISIONING_SUCCESS"] {
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
    let once = 2;
    assert!((once..=once + in_doubt).contains(&mails), "{mails} emails, {last:?}");
}

/// Checks that the tenant was subscribed and its subscription began exactly once.
fn check_subscription(app: &App, completed: &[Call]) {
    let last = completed.last();
    let subscriptions = app.items_of("subscription");
    let phases: Vec<_> = subscriptions.iter().map(|item| item["phase"]["S"].clone()).collect();
    assert_eq!(phases, ["active"], "{last:?}");
    assert_eq!(app.items_of("invoice").len(), 1, "{last:?}");
    for kind in ["SUBSCRIPTION_CREATED", "SUBSCRIPTION_ACTIVATED", "ENTITLEMENTS_CHANGED"] {
        assert_eq!(app.events_of(kind).len(), 1, "{kind}, {last:?}");
    }
}

/// Stops before every second call from `first` on, so that two tests share the work.
fn stop_before_every_second_call(first: usize, terms: Terms) {
    let stops = (first..).step_by(2).take_while(|calls| stop_and_resume(*calls, terms)).count();
    assert!(stops >= 10, "only {stops} stops: does the flow make fewer calls now?");
}

#[test]
fn onboarding_resumes_after_a_stop_before_any_even_call() {
    stop_before_every_second_call(0, Terms::FreeForm);
}

#[test]
fn onboarding_resumes_after_a_stop_before_any_odd_call() {
    stop_before_every_second_call(1, Terms::FreeForm);
}

#[test]
fn onboarding_by_plan_resumes_after_a_stop_before_any_even_call() {
    stop_before_every_second_call(0, Terms::Plan);
}

#[test]
fn onboarding_by_plan_resumes_after_a_stop_before_any_odd_call() {
    stop_before_every_second_call(1, Terms::Plan);
}
