use secrecy::ExposeSecret;
use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use serde_json::json;
use support::{App, JWT_SECRET, MASTER_KEY, SignedMessage, VerifiedLead, config, contact, invoice};
use tracing_subscriber::{
    filter::LevelFilter, fmt::MakeWriter, layer::SubscriberExt, util::SubscriberInitExt,
};

/// A buffer with the log of this process.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Captures everything that the functions log at level TRACE.
    fn start() -> Self {
        let log = Self::default();
        let lines = tracing_subscriber::fmt::layer().json().with_writer(log.clone());
        let filter = lambda::logged(LevelFilter::TRACE);
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

/// Returns the forms in which a secret could leak.
fn forms(secret: &str) -> [String; 2] {
    let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    [secret.to_owned(), hex]
}

/// Calls every method of a tenant's children, successfully, refused and with AWS failures.
async fn call_every_method(app: &App, lead: &VerifiedLead) {
    let body = json!({ "key": "own", "domains": ["acme.test"] });
    let path = format!("/leads/{}/tenants", lead.id);
    let own = app.client.post(&lead.token, &path, &body).await.expect(200).text("/id");
    let mut paths = Vec::new();
    for (list, body) in [
        ("/contacts", contact(&own)),
        ("/invoices", invoice(&own)),
        ("/tenant-configs", config(&own, "value-marker-33cc@acme.test")),
    ] {
        paths.push((list, format!("{list}/{}", app.create(list, &body).await), body));
    }
    for fault in ["Query", "GetItem", "BatchGetItem", "PutItem", "TransactWriteItems"] {
        for (list, path, body) in &paths {
            app.set_failing(fault, true);
            for (method, path) in [
                ("POST", *list),
                ("PUT", path),
                ("PATCH", path),
                ("PATCH", &format!("{list}?where[tenantId]={own}")),
                (
                    "GET",
                    &format!("{list}?filter[include][0]=tenant&filter[where][email]=ada@acme.test"),
                ),
                ("GET", &format!("{list}?filter[where][id]={own}&cursor=key-marker-55bb")),
                ("GET", &format!("{list}/count?where[nobody]=ada@acme.test")),
            ] {
                let (method, body) = (method.parse().unwrap(), body.to_string());
                app.client.send_text(method, &lead.token, path, &body).await;
            }
            app.set_failing(fault, false);
        }
    }
    for (_, path, body) in &paths {
        app.client.patch(&app.operator, path, body).await.expect(204);
        app.client.get("bearer-marker-77aa", &format!("{path}/download")).await;
        app.client.delete(&app.operator, path).await.expect(204);
    }
    app.client.delete(&app.operator, &format!("/tenants/{own}")).await.expect(204);
}

#[tokio::test]
async fn no_secret_is_in_the_table_in_an_event_or_in_the_log() {
    let log = Log::start();
    let app = App::start().await;
    let lead = app.verified_lead("ada@acme.test").await;
    // Failures are logged with their cause. Refused callers present invalid tokens and keys.
    let (tenant, job) = app.provisioning("acme", "PREMIUM").await;
    app.wait_for_status(&tenant.to_string(), 0).await;
    app.set_failing("GetItem", true);
    let path = format!("/leads/{}", lead.id);
    app.client.get(&lead.token, &path).await.expect(500);
    app.set_failing("GetItem", false);
    app.client.get("bearer-marker-77aa", &path).await.expect(401);
    let verify = format!("{path}/verify");
    app.client.post("key-marker-55bb", &verify, &json!(null)).await.expect(401);
    call_every_method(&app, &lead).await;
    let done = json!({ "initiatorId": tenant, "type": 0, "status": "success" });
    let signed = SignedMessage::new(&app.keys, tenant, job, &done);
    signed.send(&app.client).await.expect(204);
    app.settle().await;

    let webhook = app.keys.webhook_secret(tenant, job);
    let lead_key = app.verification_key(&lead.id);
    let secrets = [JWT_SECRET, MASTER_KEY, webhook.expose_secret(), &lead_key, &lead.token];
    let (table, events) = (format!("{:?}", app.items()), format!("{:?}", app.events()));
    let log = log.text();
    assert!(table.contains("ada@acme.test") && events.contains("TENANT_PROVISIONING"));
    assert!(log.contains("request failed") && log.contains("request refused"), "{log}");
    for secret in secrets.iter().flat_map(|secret| forms(secret)) {
        for (place, text) in [("the table", &table), ("an event", &events), ("the log", &log)] {
            assert!(!text.contains(&secret), "a secret is in {place}");
        }
    }
    for marker in ["bearer-marker-77aa", "key-marker-55bb", "value-marker-33cc", "@acme.test"] {
        assert!(!log.contains(marker), "{marker} is in the log");
    }
}
