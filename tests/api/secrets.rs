use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use serde_json::json;
use support::{App, JWT_SECRET, MASTER_KEY, Signed};
use tracing_subscriber::{
    filter::LevelFilter, fmt::MakeWriter, layer::SubscriberExt, util::SubscriberInitExt,
};

/// The log of this process, kept.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Keeps what the functions log at their most talkative.
    fn start() -> Self {
        let log = Self::default();
        let lines = tracing_subscriber::fmt::layer().json().with_writer(log.clone());
        let filter = shared::lambda::logged(LevelFilter::TRACE);
        tracing_subscriber::registry().with(lines).with(filter).init();
        log
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What a secret looks like in the forms in which it could leak.
fn forms(secret: &str) -> [String; 2] {
    let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    [secret.to_owned(), hex]
}

#[tokio::test]
async fn nothing_secret_is_in_the_table_in_an_event_or_in_a_log_line() {
    let log = Log::start();
    let app = App::start().await;
    let lead = app.verified_lead("ada@acme.test").await;
    // What fails is logged with its cause, and refused callers present what they should not have.
    let (tenant, job) = app.provisioning("acme", "PREMIUM").await;
    app.status_of(&tenant.to_string(), 0).await;
    app.refuse("GetItem", true);
    let path = format!("/leads/{}", lead.id);
    app.client.get(&lead.token, &path).await.expect(500);
    app.refuse("GetItem", false);
    app.client.get("bearer-marker-77aa", &path).await.expect(401);
    let verify = format!("{path}/verify");
    app.client.post("key-marker-55bb", &verify, &json!(null)).await.expect(401);
    let done = json!({ "initiatorId": tenant, "type": 0, "status": "success" });
    let signed = Signed::new(&app.keys, tenant, job, &done);
    signed.send(&app.client).await.expect(204);
    app.settle().await;

    let webhook = app.keys.webhook_secret(tenant, job);
    let lead_key = app.lead_key(&lead.id);
    let secrets = [JWT_SECRET, MASTER_KEY, &webhook, &lead_key, &lead.token];
    let (table, events) = (format!("{:?}", app.items()), format!("{:?}", app.events()));
    let log = log.text();
    assert!(table.contains("ada@acme.test") && events.contains("TENANT_PROVISIONING"));
    assert!(log.contains("request failed") && log.contains("request refused"), "{log}");
    for secret in secrets.iter().flat_map(|secret| forms(secret)) {
        for (place, text) in [("the table", &table), ("an event", &events), ("the log", &log)] {
            assert!(!text.contains(&secret), "a secret is in {place}");
        }
    }
    for marker in ["bearer-marker-77aa", "key-marker-55bb", "@acme.test"] {
        assert!(!log.contains(marker), "{marker} is in the log");
    }
}
