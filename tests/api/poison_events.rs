//! Poison events and records: they are set aside, and everything behind them is processed.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{App, contact, eventually, lead, subscription, tenant};

const EVE: &str = "eve@acme.test";
const ADA: &str = "ada@acme.test";

/// Returns the payloads in a function's dead-letter queues.
fn letters_of(app: &App, function: &str) -> Vec<Value> {
    let letters = app.local().state().dead_letters().unwrap().into_iter();
    let letters = letters.filter(|letter| letter.function.ends_with(function));
    letters.map(|letter| letter.payload).collect()
}

#[tokio::test]
async fn an_email_that_ses_refuses_permanently_is_set_aside_at_once() {
    for code in ["MessageRejected", "NotFoundException", "BadRequestException"] {
        let app = App::start().await;
        app.local().calls().reject_with("SendEmail", EVE, code);
        for email in [EVE, ADA] {
            app.client.post_without_token("/leads", &lead(email)).await.expect(200);
        }
        app.settle().await;
        assert_eq!((app.emails().len(), app.emails_to(ADA).len()), (1, 1));
        assert_eq!(app.local().calls().count("SendEmail"), 2, "{code} is not retried");
        let letters = letters_of(&app, "MailerFunction");
        assert_eq!(letters.len(), 1);
        assert_eq!(letters[0]["SetAside"]["detail"]["lead"]["email"], EVE);

        // As infra/redrive.py invokes it: the letter is kept until the email can be sent.
        app.invoke("mailer", letters[0].clone()).await.unwrap_err();
        app.local().calls().restore("SendEmail");
        app.invoke("mailer", letters[0].clone()).await.unwrap();
        assert_eq!((app.emails_to(EVE).len(), letters_of(&app, "MailerFunction").len()), (1, 1));
    }
}

/// Waits for an event that the function gave up after its retries.
async fn given_up(app: &App, function: &str) -> Value {
    eventually("a dead letter", async || letters_of(app, function).pop()).await
}

#[tokio::test]
async fn an_email_that_ses_refuses_temporarily_is_retried() {
    let app = App::start().await;
    app.local().calls().reject_with("SendEmail", EVE, "SendingPausedException");
    for email in [EVE, ADA] {
        app.client.post_without_token("/leads", &lead(email)).await.expect(200);
    }
    let event = given_up(&app, "mailer").await;
    assert_eq!((app.emails_to(ADA).len(), app.emails_to(EVE).len()), (1, 0));
    assert_eq!(app.local().calls().count("SendEmail"), 4, "one email, and three attempts");
    app.local().calls().restore("SendEmail");
    app.invoke("mailer", event).await.unwrap();
    assert_eq!(app.emails_to(EVE).len(), 1);
}

#[tokio::test]
async fn an_unreadable_event_is_set_aside_at_once() {
    let app = App::start().await;
    let deep = format!("{}1{}", "[".repeat(120), "]".repeat(120));
    let events = [
        json!("no event"),
        json!({ "detail-type": "LEAD_CREATED", "detail": { "lead": 1 } }),
        json!({ "detail-type": "LEAD_CREATED" }),
        json!({ "detail-type": "TENANT_PROVISIONING_SUCCESS", "detail": { "job": serde_json::from_str::<Value>(&deep).unwrap() } }),
    ];
    for function in ["mailer", "pipelines"] {
        for event in &events {
            let event = event.clone();
            assert_eq!(app.invoke(function, event).await, Ok(Value::Null));
        }
    }
    assert_eq!(letters_of(&app, "MailerFunction").len(), 4);
    assert_eq!(letters_of(&app, "PipelinesFunction").len(), 4);

    // If the queue fails, the invocation must fail so that Lambda retries it.
    app.set_failing("SendMessage", true);
    app.invoke("mailer", events[0].clone()).await.unwrap_err();
}

#[tokio::test]
async fn the_bus_delivers_events_behind_an_unreadable_one() {
    let app = App::start().await;
    let deep = format!(r#"{{"x":{}1{}}}"#, "[".repeat(125), "]".repeat(125));
    let entry = json!({
        "Source": "tenantry", "DetailType": "LEAD_CREATED", "Detail": deep,
        "EventBusName": app.local().env().get("EVENT_BUS"),
    });
    let put = json!({ "Entries": [entry] });
    assert_eq!(app.call_aws("EVENTBRIDGE", "AWSEvents.PutEvents", &put).await, 200);
    let start = Instant::now();
    app.client.post_without_token("/leads", &lead(ADA)).await.expect(200);
    eventually("the email", async || (!app.emails_to(ADA).is_empty()).then_some(())).await;
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    app.settle().await;
    assert_eq!(app.dead_letters(), 1);
    assert_eq!(app.events().len(), 2);
}

async fn provision(app: &App, key: &str) -> String {
    let id = app.create("/tenants", &tenant(key)).await;
    let path = format!("/tenants/{id}/provision");
    app.client.post(&app.operator, &path, &subscription("BASIC")).await.expect(204);
    id
}

async fn reason(app: &App, tenant: &str) -> String {
    app.read(&format!("/tenants/{tenant}/jobs")).await.text("/0/reason")
}

#[tokio::test]
async fn a_pipeline_that_is_refused_permanently_fails_its_job_at_once() {
    let app = App::start().await;
    let calls = app.local().calls();
    calls.reject_with("StartPipelineExecution", "poison", "ValidationException");
    let (poison, innocent) = (provision(&app, "poison").await, provision(&app, "acme").await);
    app.wait_for_status(&innocent, 0).await;
    app.wait_for_status(&poison, 3).await;
    let cause = reason(&app, &poison).await;
    assert_eq!(cause, "The pipeline tenantry-pool cannot be started (ValidationException).");
    app.settle().await;
    assert_eq!((calls.count("StartPipelineExecution"), app.dead_letters()), (2, 0));
    assert_eq!(app.job_secrets(), Vec::<String>::new());
}

#[tokio::test]
async fn a_secret_that_is_refused_permanently_fails_its_job_at_once() {
    let app = App::start().await;
    app.local().calls().reject_with("CreateSecret", "", "InvalidRequestException");
    let poison = provision(&app, "poison").await;
    app.wait_for_status(&poison, 3).await;
    assert_eq!(reason(&app, &poison).await, "The build's secret cannot be created.");
}

#[tokio::test]
async fn a_busy_pipeline_is_retried() {
    let app = App::start().await;
    let busy = "ConcurrentPipelineExecutionsLimitExceededException";
    app.local().calls().reject_with("StartPipelineExecution", "poison", busy);
    let (poison, innocent) = (provision(&app, "poison").await, provision(&app, "acme").await);
    app.wait_for_status(&innocent, 0).await;
    let event = given_up(&app, "pipelines").await;
    app.wait_for_status(&poison, 2).await;
    app.local().calls().restore("StartPipelineExecution");
    app.invoke("pipelines", event).await.unwrap();
    app.wait_for_status(&poison, 0).await;
}

#[tokio::test]
async fn a_repeated_event_does_not_start_a_second_build() {
    let app = App::start_silent().await;
    app.provisioning("acme", "BASIC").await;
    app.settle().await;
    let start = app.events_of("TENANT_PROVISIONING").remove(0);
    app.local().calls().clear();
    app.invoke("pipelines", start).await.unwrap();
    assert_eq!(app.local().calls().by("pipelines"), ["GetItem"]);
}

/// Creates three leads. Returns their stream records and the sort key of the first one's count.
async fn leads(app: &App) -> (Vec<Value>, String) {
    for email in [EVE, ADA, "bob@acme.test"] {
        app.client.post_without_token("/leads", &lead(email)).await.expect(200);
    }
    app.settle().await;
    let records = app.local().records("upkeep").unwrap();
    let poison = records[0]["dynamodb"]["NewImage"]["id"]["S"].as_str().unwrap().to_owned();
    (records, format!("COUNTED#lead#{poison}"))
}

#[tokio::test]
async fn a_record_that_fails_permanently_is_set_aside_and_all_others_are_counted() {
    let (app, other) = (App::start_silent().await, App::start_silent().await);
    let (records, poison) = leads(&app).await;
    other.local().calls().reject_with("TransactWriteItems", &poison, "ValidationException");
    let answer = other.invoke("upkeep", json!({ "Records": records })).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([]));
    assert_eq!((other.count("/leads").await, letters_of(&other, "UpkeepFunction").len()), (2, 1));
}

#[tokio::test]
async fn a_record_that_fails_temporarily_is_retried_and_all_others_are_counted() {
    let (app, other) = (App::start_silent().await, App::start_silent().await);
    let (mut records, poison) = leads(&app).await;
    other.local().calls().reject_with("TransactWriteItems", &poison, "AccessDeniedException");
    let answer = other.invoke("upkeep", json!({ "Records": records })).await.unwrap();
    let first = records[0]["dynamodb"]["SequenceNumber"].clone();
    assert_eq!(answer["batchItemFailures"], json!([{ "itemIdentifier": first }]));
    assert_eq!((other.count("/leads").await, other.dead_letters()), (2, 0));

    // After a quarter of an hour, the failure counts as permanent.
    let old = lambda::now().seconds() - 1000;
    records[0]["dynamodb"]["ApproximateCreationDateTime"] = old.into();
    records.extend(leads(&app).await.0.into_iter().skip(3));
    let answer = other.invoke("upkeep", json!({ "Records": records })).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([]));
    assert_eq!(letters_of(&other, "UpkeepFunction").len(), 1);
}

#[tokio::test]
async fn a_child_that_cannot_be_deleted_does_not_block_the_others() {
    let app = App::start_silent().await;
    let acme = app.tenant("acme").await;
    let poison = app.create("/contacts", &contact(&acme)).await;
    for _ in 0..4 {
        app.create("/contacts", &contact(&acme)).await;
    }
    app.settle().await;
    let is_acme = |record: &Value| record["dynamodb"]["NewImage"]["id"]["S"] == acme;
    let mut record = app.local().records("upkeep").unwrap().into_iter().find(is_acme).unwrap();
    let change = &mut record["dynamodb"];
    change["OldImage"] = change["NewImage"].clone();
    change["NewImage"]["deleted"] = json!({ "BOOL": true });
    change["NewImage"]["version"] = json!({ "N": "2" });
    let batch = json!({ "Records": [record] });

    for (code, failed) in [("AccessDeniedException", 1), ("ValidationException", 0)] {
        app.local().calls().restore("UpdateItem");
        app.local().calls().reject_with("UpdateItem", &poison, code);
        let answer = app.invoke("upkeep", batch.clone()).await.unwrap();
        assert_eq!(answer["batchItemFailures"].as_array().unwrap().len(), failed, "{code}");
        let mut left = app.items_of("contact");
        left.retain(|contact| contact["deleted"]["BOOL"] != true);
        assert_eq!(left.len(), 1, "{code}");
        assert_eq!(left[0]["id"]["S"], poison);
    }
    assert_eq!(letters_of(&app, "UpkeepFunction").len(), 1);
}
