//! Checkpoints of the audit log, which show that its newest entries were cut off.

use std::time::Duration;

use serde_json::Value;
use support::App;
use tracing_subscriber::{Layer, filter::LevelFilter, filter::Targets, layer::SubscriberExt};

use crate::{audit::log, secrets::Log};

/// Returns the checkpoints in a log, each with its number and MAC.
fn checkpoints(log: &Log, chain: &str) -> Vec<(u64, String)> {
    let lines = log.text();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let fields = lines.map(|mut line| line["fields"].take());
    let ours = fields.filter(|fields| {
        fields["message"] == "checkpoint of the audit log" && fields["chain"] == chain
    });
    ours.map(|fields| (fields["seq"].as_u64().unwrap(), fields["mac"].as_str().unwrap().to_owned()))
        .collect()
}

#[tokio::test]
async fn the_first_entries_of_a_day_are_a_checkpoint_in_the_log() {
    let logged = Log::default();
    let store = Targets::new().with_target("store", LevelFilter::INFO);
    let lines = tracing_subscriber::fmt::layer().json().with_writer(logged.clone());
    let subscriber = tracing_subscriber::registry().with(lines.with_filter(store));
    let _kept = tracing::subscriber::set_default(subscriber);

    let app = App::start_silent().await;
    let day = 24 * 3600;
    let to_midnight = day - lambda::now().seconds().rem_euclid(day);
    app.local().skip(Duration::from_secs(u64::try_from(to_midnight).unwrap())).unwrap();
    for (n, pause) in [(0, 0), (1, 0), (2, day), (3, 0)] {
        app.settle().await;
        app.local().skip(Duration::from_secs(pause.try_into().unwrap())).unwrap();
        let lead = support::lead(&format!("a{n}@acme.test"));
        app.client.post_without_token("/leads", &lead).await.expect(200);
    }
    app.settle().await;
    let found = checkpoints(&logged, "leads");
    assert_eq!(found.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [1, 3]);
    let stored = log(&app);
    for (seq, mac) in &found {
        assert_eq!(stored[&format!("AUDIT#leads {seq:012}")]["mac"]["S"], *mac);
    }
}
