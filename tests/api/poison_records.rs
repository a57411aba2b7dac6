//! Unreadable stream records: each is moved to the dead-letter queue and blocks no other record.

use domain::LeadId;
use serde_json::{Value, json};
use support::{App, lead};

/// Writes an item that no function can parse.
async fn poison(app: &App, id: &str) {
    let item = json!({
        "pk": { "S": format!("LEAD#{id}") }, "sk": { "S": "LEAD" },
        "entity": { "S": "lead" }, "id": { "S": id },
    });
    assert!(app.put_item(&item).await);
}

/// Returns the dead letters: function and payload.
fn dead_letters(app: &App) -> Vec<(String, Value)> {
    let letters = app.local().state().dead_letters().unwrap().into_iter();
    let mut letters: Vec<_> = letters.map(|letter| (letter.function, letter.payload)).collect();
    letters.sort_by(|left, right| left.0.cmp(&right.0));
    letters
}

fn failures(answer: &Value) -> usize {
    answer["batchItemFailures"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn an_unreadable_record_is_set_aside_and_does_not_block_others() {
    let app = App::start().await;
    poison(&app, "poison").await;
    app.client.post_without_token("/leads", &lead("ada@acme.test")).await.expect(200);
    app.settle().await;
    assert_eq!(app.emails_to("ada@acme.test").len(), 1);
    let letters = dead_letters(&app);
    let ends = |name: &str| letters.iter().any(|(function, _)| function.ends_with(name));
    assert!(letters.len() == 2 && ends("RelayFunction") && ends("UpkeepFunction"), "{letters:?}");
    let count = app.client.get(&app.operator, "/leads/count").await.expect(200);
    assert_eq!(count.body["count"], 1);
}

#[tokio::test]
async fn while_the_dead_letter_queue_fails_the_record_is_retried() {
    let app = App::start().await;
    app.set_failing("SendMessage", true);
    poison(&app, "poison").await;
    app.client.post_without_token("/leads", &lead("ada@acme.test")).await.expect(200);
    app.wait_for_calls("SendMessage", 2).await;
    assert!(dead_letters(&app).is_empty() && !app.local().is_settled().unwrap());
    app.set_failing("SendMessage", false);
    app.settle().await;
    assert_eq!((app.emails().len(), dead_letters(&app).len()), (1, 2));
}

#[tokio::test]
async fn while_the_bus_fails_a_poison_record_is_not_set_aside_repeatedly() {
    let app = App::start().await;
    app.set_failing("PutEvents", true);
    app.client.post_without_token("/leads", &lead("ada@acme.test")).await.expect(200);
    poison(&app, "poison").await;
    app.wait_for_calls("PutEvents", 3).await;
    let by_relay = |(function, _): &(String, Value)| function.ends_with("RelayFunction");
    assert!(!dead_letters(&app).iter().any(by_relay));
    app.set_failing("PutEvents", false);
    app.settle().await;
    assert_eq!((app.emails().len(), dead_letters(&app).len()), (1, 2));
}

#[tokio::test]
async fn a_redriven_record_is_kept_until_it_can_be_processed() {
    let app = App::start().await;
    poison(&app, "poison").await;
    app.client.post_without_token("/leads", &lead("ada@acme.test")).await.expect(200);
    app.settle().await;
    for (function, payload) in dead_letters(&app) {
        let function = if function.ends_with("RelayFunction") { "relay" } else { "upkeep" };
        let answer = app.invoke(function, payload.clone()).await.unwrap();
        assert_eq!(failures(&answer), 1, "{function}: {answer}");
        // Repairs the record, which has the same effect as a fixed function.
        let mut payload = payload;
        let mut image = app.items_of("lead").into_iter().find(|item| item["version"].is_object());
        let image = image.as_mut().unwrap();
        image["id"]["S"] = json!(LeadId::generate());
        image["email"]["S"] = json!("grace@acme.test");
        payload["Records"][0]["dynamodb"]["NewImage"] = image.clone();
        let answer = app.invoke(function, payload).await.unwrap();
        assert_eq!(failures(&answer), 0, "{function}: {answer}");
    }
    app.settle().await;
    assert_eq!(app.emails_to("grace@acme.test").len(), 1);
    let count = app.client.get(&app.operator, "/leads/count").await.expect(200);
    assert_eq!((count.body["count"].clone(), dead_letters(&app).len()), (json!(2), 2));
}

#[tokio::test]
async fn a_meaningless_record_does_not_hide_the_others() {
    let app = App::start().await;
    app.client.post_without_token("/leads", &lead("ada@acme.test")).await.expect(200);
    app.settle().await;
    poison(&app, "poison").await;
    app.settle().await;
    let (_, payload) = dead_letters(&app).remove(0);
    let records = json!([{ "dynamodb": 1 }, "nothing", payload["Records"][0]]);
    let answer = app.invoke("relay", json!({ "Records": records })).await.unwrap();
    assert_eq!((failures(&answer), dead_letters(&app).len()), (0, 5));
}
