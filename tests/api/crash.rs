//! Stopped between any two steps of lead -> active and started again, it goes on and ends ACTIVE,
//! with each event once and each effect once. A step is a call of AWS: the process is stopped
//! before each of them in turn, with all that it was doing, and started on the same data.

use std::{path::PathBuf, time::Duration};

use local::Call;
use serde_json::{Value, json};
use support::{App, Options, Reply, eventually, lead, subscription};
use tokio::runtime::Runtime;

/// What a client knows of its way so far.
#[derive(Default)]
struct Journey {
    lead: Option<String>,
    token: Option<String>,
    tenant: Option<String>,
    provisioned: bool,
}

impl Journey {
    /// Goes on to the end, where the tenant is active and nothing is under way.
    async fn go_on(&mut self, app: &App) {
        if self.lead.is_none() {
            let created = app.client.post_openly("/leads", &lead("ada@acme.test")).await;
            self.lead = Some(created.expect(200).text("/id"));
        }
        let id = self.lead.clone().unwrap();
        if self.token.is_none() {
            let path = format!("/leads/{id}/verify");
            let verified = app.client.post(&app.lead_key(&id), &path, &json!(null)).await;
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
            // An answer that was lost is found out by asking again.
            assert!([204, 409].contains(&accepted.status), "{}", accepted.body);
            self.provisioned = true;
        }
        app.status_of(&tenant, 0).await;
        app.settle().await;
    }
}

/// The tenant that was made now, or before the answer was lost.
fn tenant_of(app: &App, made: &Reply) -> String {
    if made.status == 200 {
        return made.text("/id");
    }
    assert_eq!(made.status, 401, "{}", made.body);
    app.items_of("tenant")[0]["id"]["S"].as_str().unwrap().to_owned()
}

/// A folder that is gone at the end.
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

/// Stops the process before its call number `calls` and starts it again; false where it does not
/// come to that call.
fn stop_and_go_on(calls: usize) -> bool {
    let folder = Folder::new(&calls.to_string());
    let options = || Options::succeeding().data_in(&folder.0);
    let mut journey = Journey::default();

    let first = Runtime::new().unwrap();
    let stopped = first.block_on(async {
        let app = App::with_options(options()).await;
        app.local().calls().forget();
        app.local().calls().freeze_after(calls);
        let frozen = eventually("the stop", async || app.local().calls().is_frozen().then_some(()));
        tokio::select! {
            () = frozen => Some(app.local().calls().all()),
            () = journey.go_on(&app) => None,
        }
    });
    // Everything that runs ends at once, wherever it is.
    first.shutdown_timeout(Duration::ZERO);
    let Some(carried_out) = stopped else { return false };

    Runtime::new().unwrap().block_on(async {
        let app = App::with_options(options()).await;
        journey.go_on(&app).await;
        check(&app, &carried_out);
        app.stop().await;
    });
    true
}

/// Each event once, each effect once.
fn check(app: &App, carried_out: &[Call]) {
    let last = carried_out.last();
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

    // SES has no token by which a mail could be sent once and only once: stopped between its answer
    // and the note of it, the mailer sends again, since a mail twice is better than none.
    let mailer = carried_out.iter().rfind(|call| call.caller == "mailer");
    let in_doubt = usize::from(mailer.is_some_and(|call| call.action == "SendEmail"));
    let mails = app.mails().len();
    let once = leads + 1;
    assert!((once..=once + in_doubt).contains(&mails), "{mails} mails, {last:?}");
}

/// Every second call from `first` on, so that two tests share the work.
fn every_second_from(first: usize) {
    let stops = (first..).step_by(2).take_while(|calls| stop_and_go_on(*calls)).count();
    assert!(stops >= 10, "only {stops} stops: is the way shorter now?");
}

#[test]
fn it_goes_on_after_a_stop_before_any_even_step() {
    every_second_from(0);
}

#[test]
fn it_goes_on_after_a_stop_before_any_odd_step() {
    every_second_from(1);
}
