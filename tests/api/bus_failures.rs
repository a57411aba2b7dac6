//! Events that the bus refuses. All other events of the batch are published exactly once.

use serde_json::{Value, json};
use support::{App, lead};

const EVE: &str = "eve@acme.test";
const OTHERS: [&str; 2] = ["ada@acme.test", "bob@acme.test"];

/// Creates three leads in one stream batch. `action` fails with `code` for the second one's event.
async fn refused(app: &App, action: &str, code: &'static str) {
    app.set_failing("PutEvents", true);
    for email in [OTHERS[0], EVE, OTHERS[1]] {
        app.client.post_without_token("/leads", &lead(email)).await.expect(200);
    }
    app.local().calls().reject_with(action, EVE, code);
    if action != "PutEvents" {
        app.set_failing("PutEvents", false);
    }
}

/// Counts the events of a lead on the bus.
fn published(app: &App, email: &str) -> usize {
    let events = app.events().into_iter();
    events.filter(|event| event["detail"]["lead"]["email"] == email).count()
}

/// Returns the email addresses of leads whose records are in the dead-letter queue.
fn set_aside(app: &App) -> Vec<Value> {
    let letters = app.local().state().dead_letters().unwrap().into_iter();
    let image =
        |payload: &Value| payload["Records"][0]["dynamodb"]["NewImage"]["email"]["S"].clone();
    letters
        .filter(|letter| letter.function.ends_with("RelayFunction"))
        .map(|letter| image(&letter.payload))
        .collect()
}

#[tokio::test]
async fn an_event_that_is_refused_permanently_is_set_aside_and_all_others_are_published_once() {
    for code in ["MalformedDetail", "NotAuthorizedForSourceException", "CodeOfTomorrow"] {
        let app = App::start().await;
        refused(&app, "PutEventsEntry", code).await;
        app.settle().await;
        assert_eq!(set_aside(&app), [EVE], "{code}");
        assert_eq!(OTHERS.map(|email| published(&app, email)), [1, 1], "{code}");
        assert_eq!(OTHERS.map(|email| app.emails_to(email).len()), [1, 1], "{code}");
    }
}

#[tokio::test]
async fn an_event_that_makes_the_whole_request_fail_is_found_and_set_aside() {
    let app = App::start().await;
    app.local().calls().reject_with("PutEvents", EVE, "ValidationException");
    let mut records = Vec::new();
    for n in 0..12 {
        let email = if n == 3 { EVE.to_owned() } else { format!("a{n}@acme.test") };
        app.client.post_without_token("/leads", &lead(&email)).await.expect(200);
    }
    app.settle().await;
    records.extend(app.local().records("relay").unwrap());
    assert_eq!((set_aside(&app), app.events_of("LEAD_CREATED").len()), (vec![json!(EVE)], 11));
    // In one batch, each of the others is published once more.
    let before = app.events().len();
    let answer = app.invoke("relay", json!({ "Records": records })).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([]));
    assert_eq!((app.events().len() - before, set_aside(&app).len()), (11, 2));
}

#[tokio::test]
async fn an_event_that_is_refused_temporarily_is_published_later() {
    let app = App::start().await;
    refused(&app, "PutEventsEntry", "ThrottlingException").await;
    support::eventually("the first event", async || (published(&app, OTHERS[0]) > 0).then_some(()))
        .await;
    assert_eq!((set_aside(&app).len(), published(&app, EVE)), (0, 0));
    app.local().calls().restore("PutEventsEntry");
    app.settle().await;
    assert_eq!(
        (set_aside(&app).len(), published(&app, EVE), published(&app, OTHERS[0])),
        (0, 1, 1)
    );
    assert_eq!(app.emails().len(), 3, "one email per lead");
}

#[tokio::test]
async fn only_refused_events_are_retried_within_an_invocation() {
    let app = App::start().await;
    for email in [OTHERS[0], EVE, OTHERS[1]] {
        app.client.post_without_token("/leads", &lead(email)).await.expect(200);
    }
    app.settle().await;
    let mut records = app.local().records("relay").unwrap();
    app.local().calls().reject_with("PutEventsEntry", EVE, "InternalFailure");
    let answer = app.invoke("relay", json!({ "Records": records })).await.unwrap();
    let second = records[1]["dynamodb"]["SequenceNumber"].clone();
    assert_eq!(answer["batchItemFailures"], json!([{ "itemIdentifier": second }]));
    assert_eq!(OTHERS.map(|email| published(&app, email)), [2, 2], "one more event of each");

    // After a quarter of an hour, the failure counts as permanent if the bus accepts other events.
    let old = lambda::now().seconds() - 1000;
    for record in &mut records {
        record["dynamodb"]["ApproximateCreationDateTime"] = old.into();
    }
    let answer = app.invoke("relay", json!({ "Records": records[1..2] })).await.unwrap();
    assert_eq!(
        answer["batchItemFailures"].as_array().unwrap().len(),
        1,
        "the event is retried while the bus accepts no others"
    );
    let answer = app.invoke("relay", json!({ "Records": records })).await.unwrap();
    assert_eq!(
        (answer["batchItemFailures"].clone(), set_aside(&app)),
        (json!([]), vec![json!(EVE)])
    );
}

#[tokio::test]
async fn a_redriven_event_that_is_refused_again_stays_in_the_queue() {
    let app = App::start().await;
    refused(&app, "PutEventsEntry", "MalformedDetail").await;
    app.settle().await;
    let letter = app.local().state().dead_letters().unwrap().remove(0);
    let answer = app.invoke("relay", letter.payload.clone()).await.unwrap();
    assert_eq!(answer["batchItemFailures"].as_array().unwrap().len(), 1);
    app.local().calls().restore("PutEventsEntry");
    let answer = app.invoke("relay", letter.payload).await.unwrap();
    app.settle().await;
    assert_eq!((answer["batchItemFailures"].clone(), app.emails_to(EVE).len()), (json!([]), 1));
}

#[tokio::test]
async fn a_record_too_large_for_the_queue_is_set_aside_with_its_keys_only() {
    let app = App::start().await;
    app.local().calls().reject_with("SendMessage", "NewImage", "InvalidParameterValue");
    refused(&app, "PutEventsEntry", "MalformedDetail").await;
    app.settle().await;
    assert_eq!(OTHERS.map(|email| app.emails_to(email).len()), [1, 1]);
    let letter = app.local().state().dead_letters().unwrap().remove(0);
    let kept = &letter.payload["Records"][0]["dynamodb"];
    assert!(kept["Keys"]["pk"]["S"].as_str().unwrap().starts_with("LEAD#"), "{kept}");
    let answer = app.invoke("relay", letter.payload).await.unwrap();
    assert_eq!(
        answer["batchItemFailures"].as_array().unwrap().len(),
        1,
        "the letter must stay in the queue"
    );
}
