use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::{Router, http::StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::{Env, aws::Aws, domain::TenantId};

/// A DynamoDB that cancels the first `conflicts` transactions for meeting another one, and the
/// one after them for `reason`: no emulator plays the former.
async fn store(conflicts: u32, reason: &'static str) -> (Store, Arc<AtomicU32>) {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let answer = async move || match counted.fetch_add(1, Ordering::SeqCst) {
        call if call < conflicts => cancelled("TransactionConflict"),
        _ if reason == "None" => (StatusCode::OK, axum::Json(json!({}))),
        _ => cancelled(reason),
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router: Router = Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, router).await });
    let env: Env = [
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ENDPOINT_URL", &*endpoint),
        ("TABLE_NAME", "table"),
    ]
    .into_iter()
    .collect();
    (Store::from_env(&env, &Aws::from_env(&env).unwrap()).unwrap(), calls)
}

fn cancelled(reason: &str) -> (StatusCode, axum::Json<Value>) {
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled",
        "CancellationReasons": [{ "Code": "None" }, { "Code": reason }],
    });
    (StatusCode::BAD_REQUEST, axum::Json(body))
}

async fn commit(store: &Store) -> Result<()> {
    let key = || Key::tenant(TenantId::mint());
    let claims = store.transaction().claim(key(), Attributes::new(), Error::EmailTaken)?;
    claims.claim(key(), Attributes::new(), Error::Contradiction)?.commit().await
}

#[tokio::test]
async fn a_transaction_that_met_another_one_is_sent_again() {
    let (store, calls) = store(3, "None").await;
    commit(&store).await.unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_refused_write_is_told_by_its_own_error_and_not_sent_again() {
    let (store, calls) = store(1, "ConditionalCheckFailed").await;
    assert!(matches!(commit(&store).await, Err(Error::Contradiction)));
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn an_item_that_does_not_fit_is_refused_for_good() {
    for (reason, is_permanent) in [("ValidationError", true), ("ThrottlingError", false)] {
        let (store, calls) = store(0, reason).await;
        assert_eq!(commit(&store).await.unwrap_err().is_permanent(), is_permanent, "{reason}");
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn a_conflict_that_does_not_end_is_busy() {
    let (store, calls) = store(u32::MAX, "None").await;
    assert!(matches!(commit(&store).await, Err(Error::Busy(_))));
    assert_eq!(calls.load(Ordering::SeqCst), TRIES);
}
