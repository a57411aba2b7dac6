use std::collections::BTreeMap;

use serde_json::{Value, json};
use support::{App, SignedMessage};
use tracing_subscriber::{Layer, filter::LevelFilter, filter::Targets, layer::SubscriberExt};

use crate::secrets::Log;

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

#[tokio::test]
async fn every_outcome_is_measured_once() {
    let log = Log::default();
    let metrics = Targets::new().with_target(lambda::metric::TARGET, LevelFilter::INFO);
    let lines = tracing_subscriber::fmt::layer().json().with_writer(log.clone());
    let subscriber = tracing_subscriber::registry().with(lines.with_filter(metrics));
    let _kept = tracing::subscriber::set_default(subscriber);

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
