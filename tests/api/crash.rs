//! Crash recovery: the process is stopped before each AWS call between sign-up and active tenant,
//! and restarted on the same data. The tenant must become active, with every event and every effect
//! exactly once.

use std::{path::PathBuf, time::Duration};

use local::Call;
use serde_json::{Value, json};
use support::{App, Options, Reply, eventually, lead, subscription};
use tokio::runtime::Runtime;

/// A client's progress from sign-up to active tenant.
#[derive(Default)]
struct Journey {
    lead: Option<String>,
    token: Option<String>,
    tenant: Option<String>,
    provisioned: bool,
}

impl Journey {
    /// Continues until the tenant is active and the control plane is idle.
    async fn resume(&mut self, app: &App) {
        if self.lead.is_none() {
            let created = app.client.post_without_token("/leads", &lead("ada@acme.test")).await;
            self.lead = Some(created.expect(200).text("/id"));
        }
        let id = self.lead.clone().unwrap();
        if self.token.is_none() {
            let path = format!("/leads/{id}/verify");
            let verified = app.client.post(&app.verification_key(&id), &path, &json!(null)).await;
            self.token = Some(verified.expect(200).text("/token"));
        }
        let token = self.token.clone().unwrap();
        if self.tenant.is_none() {
            let body = json!({ "key": "acme", "domains": ["acme.test"] });
            let made = app.client.post(&token, &format!("/leads/{id}/tenants"), &body).await;
            self.tenant = Some(tenant_of(app, &made));
        }
        let tenant = self.tenant.clone().unwrap();
        if !self.provisioned {
            let path = format!("/tenants/{tenant}/provision");
            let accepted = app.client.post(&token, &path, &subscription("PREMIUM")).await;
            // 409 if the response to an earlier, successful request was lost.
            assert!([204, 409].contains(&accepted.status), "{}", accepted.body);
            self.provisioned = true;
        }
        app.wait_for_status(&tenant, 0).await;
        app.settle().await;
    }
}

/// Returns the tenant that was created now, or by a request whose response was lost.
fn tenant_of(app: &App, made: &Reply) -> String {
    if made.status == 200 {
        return made.text("/id");
    }
    assert_eq!(made.status, 401, "{}", made.body);
    app.items_of("tenant")[0]["id"]["S"].as_str().unwrap().to_owned()
}

/// A folder that is deleted on drop.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("tenantry-{}-{name}", std::process::id()));
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
fn stop_and_resume(calls: usize) -> bool {
    let folder = Folder::new(&calls.to_string());
    let options = || Options::succeeding().data_in(&folder.0);
    let mut journey = Journey::default();

    let first = Runtime::new().unwrap();
    let stopped = first.block_on(async {
        let app = App::with_options(options()).await;
        app.local().calls().clear();
        app.local().calls().freeze_after(calls);
        let frozen = eventually("the stop", async || app.local().calls().is_frozen().then_some(()));
        tokio::select! {
            () = frozen => Some(app.local().calls().all()),
            () = journey.resume(&app) => None,
        }
    });
    // Ends everything that is running, at once.
    first.shutdown_timeout(Duration::ZERO);
    let Some(completed) = stopped else { return false };

    Runtime::new().unwrap().block_on(async {
        let app = App::with_options(options()).await;
        journey.resume(&app).await;
        check(&app, &completed);
        app.stop().await;
    });
    true
}

/// Checks that every event and every effect happened exactly once.
fn check(app: &App, completed: &[Call]) {
    let last = completed.last();
    let leads = app.items_of("lead").len();
    assert_eq!(app.events_of("LEAD_CREATED").len(), leads, "{last:?}");
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
    // is recorded, it sends the email again.
    let mailer = completed.iter().rfind(|call| call.caller == "mailer");
    let in_doubt = usize::from(mailer.is_some_and(|call| call.action == "SendEmail"));
    let mails = app.emails().len();
    let once = leads + 1;
    assert!((once..=once + in_doubt).contains(&mails), "{mails} emails, {last:?}");
}

/// Stops before every second call from `first` on, so that two tests share the work.
fn stop_before_every_second_call(first: usize) {
    let stops = (first..).step_by(2).take_while(|calls| stop_and_resume(*calls)).count();
    assert!(stops >= 10, "only {stops} stops: does the flow make fewer calls now?");
}

#[test]
fn onboarding_resumes_after_a_stop_before_any_even_call() {
    stop_before_every_second_call(0);
}

#[test]
fn onboarding_resumes_after_a_stop_before_any_odd_call() {
    stop_before_every_second_call(1);
}
