//! Events that the bus refuses: those before and behind them are published all the same, and once.

use serde_json::{Value, json};
use support::{App, lead};

const EVE: &str = "eve@acme.test";
const OTHERS: [&str; 2] = ["ada@acme.test", "bob@acme.test"];

/// Three leads in one batch of the stream, of whose events the middle one is refused so.
async fn refused(app: &App, action: &str, code: &'static str) {
    app.refuse("PutEvents", true);
    for email in [OTHERS[0], EVE, OTHERS[1]] {
        app.client.post_openly("/leads", &lead(email)).await.expect(200);
    }
    app.local().calls().refuse_with(action, EVE, code);
    if action != "PutEvents" {
        app.refuse("PutEvents", false);
    }
}

/// How often the event of each address is on the bus.
fn published(app: &App, email: &str) -> usize {
    let events = app.events().into_iter();
    events.filter(|event| event["detail"]["lead"]["email"] == email).count()
}

/// The addresses of leads whose records lie in the failure queue.
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
async fn an_event_that_the_bus_refuses_for_good_is_set_aside_and_all_others_are_published_once() {
    for code in ["MalformedDetail", "NotAuthorizedForSourceException", "CodeOfTomorrow"] {
        let app = App::start().await;
        refused(&app, "PutEventsEntry", code).await;
        app.settle().await;
        assert_eq!(set_aside(&app), [EVE], "{code}");
        assert_eq!(OTHERS.map(|email| published(&app, email)), [1, 1], "{code}");
        assert_eq!(OTHERS.map(|email| app.mails_to(email).len()), [1, 1], "{code}");
    }
}

#[tokio::test]
async fn an_event_for_which_the_bus_refuses_the_request_is_found_and_set_aside() {
    let app = App::start().await;
    app.local().calls().refuse_with("PutEvents", EVE, "ValidationException");
    let mut records = Vec::new();
    for n in 0..12 {
        let email = if n == 3 { EVE.to_owned() } else { format!("a{n}@acme.test") };
        app.client.post_openly("/leads", &lead(&email)).await.expect(200);
    }
    app.settle().await;
    records.extend(app.local().records("relay").unwrap());
    assert_eq!((set_aside(&app), app.events_of("LEAD_CREATED").len()), (vec![json!(EVE)], 11));
    // In one batch: each of the others once more, whatever stands beside them.
    let before = app.events().len();
    let answer = app.invoke("relay", json!({ "Records": records })).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([]));
    assert_eq!((app.events().len() - before, set_aside(&app).len()), (11, 2));
}

#[tokio::test]
async fn an_event_that_the_bus_cannot_take_now_is_published_later_and_not_set_aside() {
    let app = App::start().await;
    refused(&app, "PutEventsEntry", "ThrottlingException").await;
    support::eventually("the first event", async || (published(&app, OTHERS[0]) > 0).then_some(()))
        .await;
    assert_eq!((set_aside(&app).len(), published(&app, EVE)), (0, 0));
    app.local().calls().heal("PutEventsEntry");
    app.settle().await;
    assert_eq!(
        (set_aside(&app).len(), published(&app, EVE), published(&app, OTHERS[0])),
        (0, 1, 1)
    );
    assert_eq!(app.mails().len(), 3, "each mail once");
}

#[tokio::test]
async fn within_one_invocation_only_what_was_refused_is_sent_again() {
    let app = App::start().await;
    for email in [OTHERS[0], EVE, OTHERS[1]] {
        app.client.post_openly("/leads", &lead(email)).await.expect(200);
    }
    app.settle().await;
    let mut records = app.local().records("relay").unwrap();
    app.local().calls().refuse_with("PutEventsEntry", EVE, "InternalFailure");
    let answer = app.invoke("relay", json!({ "Records": records })).await.unwrap();
    let second = records[1]["dynamodb"]["SequenceNumber"].clone();
    assert_eq!(answer["batchItemFailures"], json!([{ "itemIdentifier": second }]));
    assert_eq!(OTHERS.map(|email| published(&app, email)), [2, 2], "one more of each");

    // A quarter of an hour later it is the event's own fault, since the bus takes others.
    let old = shared::now().seconds() - 1000;
    for record in &mut records {
        record["dynamodb"]["ApproximateCreationDateTime"] = old.into();
    }
    let answer = app.invoke("relay", json!({ "Records": records[1..2] })).await.unwrap();
    assert_eq!(answer["batchItemFailures"].as_array().unwrap().len(), 1, "it holds nobody up");
    let answer = app.invoke("relay", json!({ "Records": records })).await.unwrap();
    assert_eq!(
        (answer["batchItemFailures"].clone(), set_aside(&app)),
        (json!([]), vec![json!(EVE)])
    );
}

#[tokio::test]
async fn what_is_handed_over_again_and_refused_again_stays_in_the_queue() {
    let app = App::start().await;
    refused(&app, "PutEventsEntry", "MalformedDetail").await;
    app.settle().await;
    let letter = app.local().state().dead_letters().unwrap().remove(0);
    let answer = app.invoke("relay", letter.payload.clone()).await.unwrap();
    assert_eq!(answer["batchItemFailures"].as_array().unwrap().len(), 1);
    app.local().calls().heal("PutEventsEntry");
    let answer = app.invoke("relay", letter.payload).await.unwrap();
    app.settle().await;
    assert_eq!((answer["batchItemFailures"].clone(), app.mails_to(EVE).len()), (json!([]), 1));
}

#[tokio::test]
async fn a_record_that_is_too_large_for_the_queue_is_set_aside_in_part_and_stays_there() {
    let app = App::start().await;
    app.local().calls().refuse_with("SendMessage", "NewImage", "InvalidParameterValue");
    refused(&app, "PutEventsEntry", "MalformedDetail").await;
    app.settle().await;
    assert_eq!(OTHERS.map(|email| app.mails_to(email).len()), [1, 1]);
    let letter = app.local().state().dead_letters().unwrap().remove(0);
    let kept = &letter.payload["Records"][0]["dynamodb"];
    assert!(kept["Keys"]["pk"]["S"].as_str().unwrap().starts_with("LEAD#"), "{kept}");
    let answer = app.invoke("relay", letter.payload).await.unwrap();
    assert_eq!(
        answer["batchItemFailures"].as_array().unwrap().len(),
        1,
        "nothing is lost in silence"
    );
}
