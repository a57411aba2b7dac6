//! An event sends one email, even if it is delivered several times or concurrently.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up should panic")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, http::StatusCode, routing::post};
use domain::LeadId;
use dynoxide::{Database, server};
use lambda::{Env, Payload};
use mailer::Mailer;
use serde_json::json;
use tokio::net::TcpListener;

/// Returns a mailer with its own table, and an SES that rejects the first `refusals` emails.
async fn mailer(refusals: usize) -> (Mailer, Arc<AtomicUsize>) {
    let database = Database::memory().unwrap();
    let table = json!({
        "TableName": "Table", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            { "AttributeName": "pk", "AttributeType": "S" },
            { "AttributeName": "sk", "AttributeType": "S" },
        ],
        "KeySchema": [
            { "AttributeName": "pk", "KeyType": "HASH" },
            { "AttributeName": "sk", "KeyType": "RANGE" },
        ],
    });
    database.create_table(serde_json::from_value(table).unwrap()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dynamodb = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { server::serve_on(listener, database).await });

    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let send = post(async move || match counted.fetch_add(1, Ordering::SeqCst) {
        call if call < refusals => (
            StatusCode::BAD_REQUEST,
            [("x-amzn-errortype", "MessageRejected")],
            json!({ "message": "ada@acme.test is not verified" }).to_string(),
        ),
        _ => (StatusCode::OK, [("x", "y")], json!({ "MessageId": "1" }).to_string()),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ses = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/v2/email/outbound-emails", send);
    tokio::spawn(async move { axum::serve(listener, router).await });

    let env = Env::from_iter([
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb),
        ("AWS_ENDPOINT_URL_SESV2", &ses),
        // Refuses connections: an event that cannot be moved to the queue fails the invocation.
        ("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:1"),
        ("EVENT_FAILURES_URL", "http://127.0.0.1:1/1/failures"),
        ("TABLE_NAME", "Table"),
        ("MASTER_KEYS", "master-key-of-32-bytes-at-the-least"),
        ("FROM_EMAIL", "noreply@tenantry.test"),
        ("APP_VALIDATE_URL", "http://api.test/validate"),
        ("APP_LOGIN_URL", "http://api.test"),
    ]);
    (Mailer::new(&env).await.unwrap(), calls)
}

fn lead_created() -> String {
    let id = LeadId::generate();
    json!({ "detail-type": "LEAD_CREATED", "detail": {
        "version": 1, "id": format!("{id}#1"), "time": "2026-11-23T17:54:06.859Z",
        "lead": { "id": id, "firstName": "Ada", "lastName": "Lovelace", "companyName": "Acme",
            "email": "ada@acme.test", "address": null },
    }})
    .to_string()
}

fn payload(event: &str) -> Payload {
    serde_json::from_str(event).unwrap()
}

#[tokio::test]
async fn an_event_delivered_again_sends_one_email() {
    let (mailer, calls) = mailer(0).await;
    let event = lead_created();
    for _ in 0..3 {
        mailer.handle(payload(&event)).await.unwrap();
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    mailer.handle(payload(&lead_created())).await.unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_rejected_email_is_sent_at_the_next_delivery() {
    let (mailer, calls) = mailer(1).await;
    let event = lead_created();
    let refused = mailer.handle(payload(&event)).await.unwrap_err();
    let shown = format!("{refused:?}");
    assert!(shown.contains("MessageRejected") && !shown.contains("acme.test"), "{shown}");
    for _ in 0..2 {
        mailer.handle(payload(&event)).await.unwrap();
    }
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn concurrent_deliveries_wait_for_each_other() {
    let (mailer, calls) = mailer(0).await;
    let event = lead_created();
    let deliver = async || mailer.handle(payload(&event)).await.unwrap();
    tokio::join!(deliver(), deliver());
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}
