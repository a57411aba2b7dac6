use std::collections::BTreeMap;

use serde_json::{Value, json};
use support::{App, Browser, SignedMessage, provider::Provider};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::{Layer, filter::LevelFilter, filter::Targets, layer::SubscriberExt};

use crate::{
    secrets::Log,
    sign_in::{app_of, outdate, signed_in},
};

/// Counts the logged metrics by name and dimensions.
fn measured(log: &Log) -> BTreeMap<String, u32> {
    let mut measured = BTreeMap::new();
    for line in log.text().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let metric: Value =
            serde_json::from_str(line["fields"]["message"].as_str().unwrap()).unwrap();
        let declared = &metric["_aws"]["CloudWatchMetrics"][0];
        let of = |name: &Value| metric[name.as_str().unwrap()].as_str().unwrap().to_owned();
        let dimensions: Vec<_> =
            declared["Dimensions"][0].as_array().unwrap().iter().map(of).collect();
        let name = declared["Metrics"][0]["Name"].as_str().unwrap();
        *measured.entry(format!("{name} {}", dimensions.join(" "))).or_default() += 1;
    }
    measured
}

/// Logs the metrics of this thread until the guard is dropped.
fn log_metrics() -> (Log, DefaultGuard) {
    let log = Log::default();
    let metrics = Targets::new().with_target(lambda::metric::TARGET, LevelFilter::INFO);
    let lines = tracing_subscriber::fmt::layer().json().with_writer(log.clone());
    let subscriber = tracing_subscriber::registry().with(lines.with_filter(metrics));
    (log, tracing::subscriber::set_default(subscriber))
}

#[tokio::test]
async fn an_identity_provider_that_does_not_answer_is_measured() {
    let (log, _kept) = log_metrics();
    let provider = Provider::start().await;
    provider.state().refreshes = true;
    let nowhere = json!([{ "issuer": "http://127.0.0.1:9", "audiences": ["api"] }]);
    let app = app_of(&provider, &[("TOKEN_ISSUERS", &nowhere.to_string())]).await;
    let browser = signed_in(&app, &provider).await;
    let measured = || measured(&log).get("ProviderUnreachable dev").copied().unwrap_or_default();
    assert_eq!(measured(), 0);

    provider.state().failing = Some(503);
    let other = Browser::new(app.local().base_url());
    let start = other.open("/auth/sign-in").await.expect(302);
    other.open(&provider.authorize(&start.location)).await.expect(502);
    assert_eq!(measured(), 1, "the callback");
    outdate(&app);
    browser.post("/auth/token").await.expect(200);
    assert_eq!(measured(), 2, "the check of a session");
    let foreign = provider.sign(&json!({ "iss": "http://127.0.0.1:9" }));
    app.client.post(&foreign, "/auth/exchange", &Value::Null).await.expect(502);
    assert_eq!(measured(), 3, "the exchange of a token");
    browser.open("/auth/sign-in?return=//evil.test").await.expect(400);
    assert_eq!(measured(), 3, "any other error");
}

#[tokio::test]
async fn every_outcome_is_measured_once() {
    let (log, _kept) = log_metrics();
    let app = App::start_silent().await;
    let lead = app.verified_lead("ada@acme.test").await;
    let (tenant, job) = app.provisioning("acme", "PREMIUM").await;
    let failed = json!({ "initiatorId": tenant, "type": 0, "status": "failure" });
    SignedMessage::new(&app.keys, tenant, job, &failed).send(&app.client).await.expect(204);
    let job = app.provision(tenant, "standard").await;
    let done = json!({ "initiatorId": tenant, "type": 0, "status": "success" });
    let done = SignedMessage::new(&app.keys, tenant, job, &done);
    done.send(&app.client).await.expect(204);
    done.send(&app.client).await.expect(204);
    app.client.get(&lead.token, &format!("/leads/{}", lead.id)).await.expect(200);
    app.settle().await;

    insta::assert_debug_snapshot!(measured(&log), @r#"
    {
        "Jobs dev failed": 1,
        "Jobs dev succeeded": 1,
        "Leads dev": 1,
        "Tenants dev pool": 1,
        "TimeToActive dev": 1,
        "Verifications dev": 1,
    }
    "#);
}
