//! Steps of a consumer that fail for one item: each is done for all other items, and later for this one.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::{App, lead};

/// Returns three new leads as they are stored, their stream records, and the ID of the first.
async fn new_leads() -> (Vec<Value>, Vec<Value>, String) {
    let app = App::start_silent().await;
    for email in ["eve@acme.test", "ada@acme.test", "bob@acme.test"] {
        app.client.post_without_token("/leads", &lead(email)).await.expect(200);
    }
    app.settle().await;
    let records = app.local().records("upkeep").unwrap();
    let first = records[0]["dynamodb"]["NewImage"]["id"]["S"].as_str().unwrap().to_owned();
    (app.items_of("lead"), records, first)
}

/// Returns for how many leads each step of `upkeep` was done.
async fn done(app: &App) -> [u64; 3] {
    let found: BTreeSet<_> =
        app.items_of("search").iter().map(|word| word["id"]["S"].to_string()).collect();
    let audited = app.read("/audit/verify?chain=leads").await.body;
    assert_eq!(audited["ok"], true, "{audited}");
    let audited = audited["entries"].as_u64().unwrap();
    [app.count("/leads").await, u64::try_from(found.len()).unwrap(), audited]
}

#[tokio::test]
async fn each_step_of_upkeep_is_done_for_all_records_but_the_one_that_fails() {
    let (leads, records, poison) = new_leads().await;
    let batch = json!({ "Records": records });
    let first = json!([{ "itemIdentifier": records[0]["dynamodb"]["SequenceNumber"] }]);
    for (action, part, partly) in [
        ("TransactWriteItems", format!("COUNTED#lead#{poison}"), [2, 3, 3]),
        ("PutItem", poison.clone(), [3, 2, 3]),
        ("TransactWriteItems", format!("AUDIT#done#lead#{poison}"), [3, 3, 2]),
    ] {
        for (code, retried) in
            [("AccessDeniedException", first.clone()), ("ValidationException", json!([]))]
        {
            let app = App::start_silent().await;
            app.import(leads.clone());
            app.local().calls().reject_with(action, &part, code);
            let answer = app.invoke("upkeep", batch.clone()).await.unwrap();
            assert_eq!(answer["batchItemFailures"], retried, "{part} {code}");
            assert_eq!(done(&app).await, partly, "{part} {code}");
            assert_eq!(app.dead_letters(), usize::from(code == "ValidationException"), "{part}");

            app.local().calls().restore(action);
            app.invoke("upkeep", batch.clone()).await.unwrap();
            assert_eq!(done(&app).await, [3, 3, 3], "{part} {code}");
        }
    }
}

/// Returns the phase of a subscription's item.
fn phase(app: &App, id: &str) -> Value {
    let mut found = app.items_of("subscription");
    found.retain(|item| item["id"]["S"] == id);
    found[0]["phase"]["S"].clone()
}

/// Returns the place of a subscription's only timer in the list of timers.
fn place(app: &App, id: &str) -> String {
    let mut timers = app.items_of("timer");
    timers.retain(|timer| timer["pk"]["S"] == format!("TIMER#subscription#{id}"));
    timers[0]["gsi1sk"]["S"].as_str().unwrap().to_owned()
}

/// Returns a tenant, its subscription and that of another tenant. Both are due to expire, because their
/// tenants were never built.
async fn two_that_expire(app: &App) -> (String, String, String) {
    let plan = app.active_plan(&json!({})).await;
    let (poison, other) = (app.tenant("poison").await, app.tenant("other").await);
    let id = app.subscribe(&poison, &plan).await.expect(200).text("/id");
    let innocent = app.subscribe(&other, &plan).await.expect(200).text("/id");
    app.let_days_pass(31).await;
    (poison, id, innocent)
}

#[tokio::test]
async fn a_timer_that_fails_is_postponed_and_holds_up_nobody() {
    let app = App::start().await;
    let (poison, id, innocent) = two_that_expire(&app).await;
    let now = lambda::now().to_string();
    app.local().calls().reject_with("TransactWriteItems", &poison, "ValidationException");
    app.reconcile().await;
    assert_eq!((phase(&app, &id), phase(&app, &innocent)), (json!("pending"), json!("expired")));
    assert!(place(&app, &id) > now, "later than those that are due");
    app.local().calls().restore("TransactWriteItems");
    app.let_days_pass(1).await;
    app.reconcile().await;
    assert_eq!(phase(&app, &id), "expired");
}

#[tokio::test]
async fn an_unreadable_subscription_holds_up_no_other() {
    let app = App::start().await;
    let (_, id, innocent) = two_that_expire(&app).await;
    let mut items = app.items_of("subscription");
    items.retain(|item| item["id"]["S"] == id);
    let mut unreadable = items.remove(0);
    unreadable["phase"]["S"] = "unknown".into();
    app.import(vec![unreadable]);
    let now = lambda::now().to_string();
    app.reconcile().await;
    assert_eq!(phase(&app, &innocent), "expired");
    assert!(place(&app, &id) > now, "later than those that are due");
}
