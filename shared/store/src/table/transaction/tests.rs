use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::{Router, http::StatusCode};
use serde_json::{Value, json};

use super::*;
use domain::TenantId;
use lambda::{Env, aws::Aws};

/// Starts a fake DynamoDB. It cancels the first `conflicts` transactions with
/// `TransactionConflict`, which no emulator does, and later ones with `reason`.
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
    let key = || Key::tenant(TenantId::generate());
    let claims = store.transaction().claim(key(), Attributes::new(), Error::EmailTaken)?;
    claims.claim(key(), Attributes::new(), Error::OutcomeConflict)?.commit().await
}

#[tokio::test]
async fn a_conflicting_transaction_is_retried() {
    let (store, calls) = store(3, "None").await;
    commit(&store).await.unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_failed_condition_returns_its_own_error_without_a_retry() {
    let (store, calls) = store(1, "ConditionalCheckFailed").await;
    assert!(matches!(commit(&store).await, Err(Error::OutcomeConflict)));
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn an_oversized_item_fails_permanently() {
    for (reason, is_permanent) in [("ValidationError", true), ("ThrottlingError", false)] {
        let (store, calls) = store(0, reason).await;
        assert_eq!(commit(&store).await.unwrap_err().is_permanent(), is_permanent, "{reason}");
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn a_persistent_conflict_ends_as_busy() {
    let (store, calls) = store(u32::MAX, "None").await;
    assert!(matches!(commit(&store).await, Err(Error::Busy(_))));
    assert_eq!(calls.load(Ordering::SeqCst), MAX_ATTEMPTS);
}

fn condition(write: &TransactWriteItem) -> Option<&str> {
    let check = write.condition_check().map(ConditionCheck::condition_expression);
    let put = write.put().and_then(Put::condition_expression);
    let update = write.update().and_then(types::Update::condition_expression);
    let delete = write.delete().and_then(Delete::condition_expression);
    check.or(put).or(update).or(delete)
}

#[tokio::test]
async fn every_write_has_the_condition_that_its_method_promises() {
    let (store, _) = store(0, "None").await;
    let key = || Key::tenant(TenantId::generate());
    let (none, holder) = (Attributes::new, || "holder".to_owned());
    let transaction = store
        .transaction()
        .require(key(), Error::Stale)
        .and_then(|writes| writes.claim(key(), none(), Error::Stale))
        .and_then(|writes| writes.reclaim(key(), none(), holder(), Error::Stale))
        .and_then(|writes| writes.transfer(key(), none(), holder(), Error::Stale))
        .and_then(|writes| writes.release(key(), holder()))
        .and_then(|writes| writes.put_auxiliary(key(), none()))
        .and_then(|writes| writes.delete_existing(key(), Error::Stale))
        .and_then(|writes| writes.update(key(), Update::when("a = :one"), Error::Stale))
        .and_then(|writes| writes.add(key(), &BTreeMap::from([("total".to_owned(), 1)])))
        .unwrap();
    let conditions: Vec<_> = transaction.writes.iter().map(|(write, _)| condition(write)).collect();
    assert_eq!(
        conditions,
        [
            Some("deleted = :no"),
            Some("attribute_not_exists(pk)"),
            Some("attribute_not_exists(pk) OR tenantId = :holder"),
            Some("leadId = :holder"),
            Some("holder = :holder"),
            Some("attribute_not_exists(pk)"),
            Some("attribute_exists(pk)"),
            Some("a = :one"),
            None,
        ]
    );
}
