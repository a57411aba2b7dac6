//! Records of the stream that can never be read: each ends in the failure queue and holds nothing up.

use serde_json::{Value, json};
use shared::domain::LeadId;
use support::{App, lead};

/// Writes an item that no function can read.
async fn poison(app: &App, id: &str) {
    let item = json!({
        "pk": { "S": format!("LEAD#{id}") }, "sk": { "S": "LEAD" },
        "entity": { "S": "lead" }, "id": { "S": id },
    });
    assert!(app.put_item(&item).await);
}

/// The functions that set a record aside, and what they are to be handed again.
fn set_aside(app: &App) -> Vec<(String, Value)> {
    let letters = app.local().state().dead_letters().unwrap().into_iter();
    let mut letters: Vec<_> = letters.map(|letter| (letter.function, letter.payload)).collect();
    letters.sort_by(|left, right| left.0.cmp(&right.0));
    letters
}

fn failures(answer: &Value) -> usize {
    answer["batchItemFailures"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_set_aside_and_holds_nothing_up() {
    let app = App::start().await;
    poison(&app, "poison").await;
    app.client.post_openly("/leads", &lead("ada@acme.test")).await.expect(200);
    app.settle().await;
    assert_eq!(app.mails_to("ada@acme.test").len(), 1);
    let letters = set_aside(&app);
    let ends = |name: &str| letters.iter().any(|(function, _)| function.ends_with(name));
    assert!(letters.len() == 2 && ends("RelayFunction") && ends("UpkeepFunction"), "{letters:?}");
    let count = app.client.get(&app.operator, "/leads/count").await.expect(200);
    assert_eq!(count.body["count"], 1);
}

#[tokio::test]
async fn while_the_queue_fails_the_record_comes_again_and_what_is_behind_it_waits() {
    let app = App::start().await;
    app.refuse("SendMessage", true);
    poison(&app, "poison").await;
    app.client.post_openly("/leads", &lead("ada@acme.test")).await.expect(200);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert!(set_aside(&app).is_empty() && !app.local().is_settled().unwrap());
    app.refuse("SendMessage", false);
    app.settle().await;
    assert_eq!((app.mails().len(), set_aside(&app).len()), (1, 2));
}

#[tokio::test]
async fn while_the_bus_fails_a_record_behind_is_not_set_aside_again_and_again() {
    let app = App::start().await;
    app.refuse("PutEvents", true);
    app.client.post_openly("/leads", &lead("ada@acme.test")).await.expect(200);
    poison(&app, "poison").await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let by_relay = |(function, _): &(String, Value)| function.ends_with("RelayFunction");
    assert!(!set_aside(&app).iter().any(by_relay));
    app.refuse("PutEvents", false);
    app.settle().await;
    assert_eq!((app.mails().len(), set_aside(&app).len()), (1, 2));
}

#[tokio::test]
async fn what_is_handed_over_again_stays_until_it_can_be_read_and_is_then_delivered() {
    let app = App::start().await;
    poison(&app, "poison").await;
    app.client.post_openly("/leads", &lead("ada@acme.test")).await.expect(200);
    app.settle().await;
    for (function, payload) in set_aside(&app) {
        let function = if function.ends_with("RelayFunction") { "relay" } else { "upkeep" };
        let answer = app.invoke(function, payload.clone()).await.unwrap();
        assert_eq!(failures(&answer), 1, "{function}: {answer}");
        // As if the function had been mended, the record is.
        let mut payload = payload;
        let mut image = app.items_of("lead").into_iter().find(|item| item["version"].is_object());
        let image = image.as_mut().unwrap();
        image["id"]["S"] = json!(LeadId::mint());
        image["email"]["S"] = json!("grace@acme.test");
        payload["Records"][0]["dynamodb"]["NewImage"] = image.clone();
        let answer = app.invoke(function, payload).await.unwrap();
        assert_eq!(failures(&answer), 0, "{function}: {answer}");
    }
    app.settle().await;
    assert_eq!(app.mails_to("grace@acme.test").len(), 1);
    let count = app.client.get(&app.operator, "/leads/count").await.expect(200);
    assert_eq!((count.body["count"].clone(), set_aside(&app).len()), (json!(2), 2));
}

#[tokio::test]
async fn a_record_without_any_meaning_hides_none_of_the_others() {
    let app = App::start().await;
    app.client.post_openly("/leads", &lead("ada@acme.test")).await.expect(200);
    app.settle().await;
    poison(&app, "poison").await;
    app.settle().await;
    let (_, payload) = set_aside(&app).remove(0);
    let records = json!([{ "dynamodb": 1 }, "nothing", payload["Records"][0]]);
    let answer = app.invoke("relay", json!({ "Records": records })).await.unwrap();
    assert_eq!((failures(&answer), set_aside(&app).len()), (0, 5));
}
