//! Effects of table changes: counters, and the deletion of a deleted tenant's children.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use support::{App, SignedMessage, config, contact, eventually, invoice, lead};

const KINDS: [&str; 5] = ["lead", "tenant", "contact", "config", "invoice"];

/// Returns all counters that are not zero.
fn counters(app: &App) -> BTreeMap<String, i64> {
    let mut numbers = BTreeMap::new();
    for item in app.items() {
        let Some(kind) = item["pk"]["S"].as_str().and_then(|pk| pk.strip_prefix("COUNTER#")) else {
            continue;
        };
        for (name, value) in item.as_object().unwrap() {
            let number = value["N"].as_str().and_then(|number| number.parse().ok()).unwrap_or(0);
            if number != 0 {
                numbers.insert(format!("{kind} {name}"), number);
            }
        }
    }
    numbers
}

/// Returns the expected counters, calculated from the items.
fn expected_counters(app: &App) -> BTreeMap<String, i64> {
    let mut numbers = BTreeMap::new();
    for item in app.items() {
        let kind = item["entity"]["S"].as_str().unwrap_or_default();
        if !KINDS.contains(&kind) || item["deleted"]["BOOL"] == true {
            continue;
        }
        let mut names = vec!["total".to_owned()];
        if kind == "tenant" {
            names.push(format!("status{}", item["status"]["N"].as_str().unwrap()));
        }
        if item["isValidated"]["BOOL"] == true {
            names.push("validated".to_owned());
        }
        for name in names {
            *numbers.entry(format!("{kind} {name}")).or_default() += 1;
        }
    }
    numbers
}

/// Creates, changes and deletes entities of every kind, alone and with their tenant.
pub(crate) async fn create_history(app: &App) {
    for n in 0..3 {
        app.client
            .post_without_token("/leads", &lead(&format!("a{n}@acme.test")))
            .await
            .expect(200);
    }
    app.verified_lead("ada@acme.test").await;
    let (tenant, job) = app.provisioning("acme", "BASIC").await;
    let done = json!({ "initiatorId": tenant, "type": 0, "status": "success" });
    SignedMessage::new(&app.keys, tenant, job, &done).send(&app.client).await.expect(204);
    let (acme, deleted) = (tenant.to_string(), app.tenant("deleted").await);
    for tenant in [&acme, &deleted] {
        for (list, body) in [
            ("/contacts", contact(tenant)),
            ("/invoices", invoice(tenant)),
            ("/tenant-configs", config(tenant, "theme")),
        ] {
            let id = app.create(list, &body).await;
            app.client.patch(&app.operator, &format!("{list}/{id}"), &json!({})).await.expect(204);
        }
    }
    let gone = app.create("/contacts", &contact(&acme)).await;
    app.client.delete(&app.operator, &format!("/contacts/{gone}")).await.expect(204);
    app.client.delete(&app.operator, &format!("/tenants/{deleted}")).await.expect(204);
    app.settle().await;
}

pub(crate) async fn deliver(app: &App, records: &[Value]) {
    let answer = app.invoke("upkeep", json!({ "Records": records })).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([]), "{answer}");
}

#[tokio::test]
async fn counters_are_exact_and_repeated_records_change_nothing() {
    let app = App::start_silent().await;
    create_history(&app).await;
    let before = (counters(&app), app.items());
    let (days, kinds): (BTreeMap<_, _>, _) =
        before.0.clone().into_iter().partition(|(name, _)| name.starts_with("days-"));
    assert_eq!(kinds, expected_counters(&app));
    assert_eq!(days.values().sum::<i64>(), 3, "two onboarded, one activated: {days:?}");
    assert_eq!(before.0["contact total"], 2);
    assert_eq!(app.count("/leads").await, 4);

    let mut records = app.local().records("upkeep").unwrap();
    assert!(records.len() > 20, "{}", records.len());
    deliver(&app, &records).await;
    records.reverse();
    for batch in records.chunks(7) {
        deliver(&app, batch).await;
        deliver(&app, &[batch, batch].concat()).await;
    }
    assert_eq!((counters(&app), app.items()), before);
}

#[tokio::test]
async fn reordered_and_repeated_records_give_the_same_counters() {
    let (app, other) = (App::start_silent().await, App::start_silent().await);
    create_history(&app).await;
    let mut records = app.local().records("upkeep").unwrap();
    // Deals the records into three groups by turns, and reverses each group.
    records = (0..3)
        .flat_map(|start| records.iter().skip(start).step_by(3).rev().cloned().collect::<Vec<_>>())
        .collect();
    for batch in records.chunks(5) {
        deliver(&other, batch).await;
        deliver(&other, &[batch, &batch[..1]].concat()).await;
    }
    deliver(&other, &records).await;
    assert_eq!(counters(&other), counters(&app));
}

#[tokio::test]
async fn an_unreadable_record_is_set_aside_and_all_others_are_counted() {
    let (app, other) = (App::start_silent().await, App::start_silent().await);
    for n in 0..3 {
        app.client
            .post_without_token("/leads", &lead(&format!("a{n}@acme.test")))
            .await
            .expect(200);
    }
    app.settle().await;
    let mut records = app.local().records("upkeep").unwrap();
    let image = records[1]["dynamodb"]["NewImage"].as_object_mut().unwrap();
    image.remove("version");
    let answer = other.invoke("upkeep", json!({ "Records": records })).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([]));
    assert_eq!(counters(&other), [("lead total".to_owned(), 2)].into());
}

#[tokio::test]
async fn a_temporary_failure_of_the_table_delays_counters_and_counts_nothing_twice() {
    let app = App::start_silent().await;
    app.set_failing("TransactWriteItems", true);
    for n in 0..5 {
        app.client
            .post_without_token("/leads", &lead(&format!("a{n}@acme.test")))
            .await
            .expect(200);
    }
    app.wait_for_calls("TransactWriteItems", 3).await;
    assert_eq!(app.count("/leads").await, 0);
    app.set_failing("TransactWriteItems", false);
    app.settle().await;
    assert_eq!(app.count("/leads").await, 5);

    // The transactions succeed, but their answers are lost.
    app.local().calls().fail("TransactWriteItems", local::Fault::LoseAnswers(4));
    for n in 5..10 {
        app.client
            .post_without_token("/leads", &lead(&format!("a{n}@acme.test")))
            .await
            .expect(200);
    }
    app.settle().await;
    assert_eq!((app.count("/leads").await, app.dead_letters()), (10, 0));
    assert_eq!(counters(&app), expected_counters(&app));
}

#[tokio::test]
async fn an_interrupted_deletion_of_children_is_completed() {
    let app = App::start_silent().await;
    let acme = app.tenant("acme").await;
    let body = contact(&acme);
    for _ in 0..6 {
        let made = (0..20).map(|_| app.client.post(&app.operator, "/contacts", &body));
        assert!(support::join_all(made).await.iter().all(|made| made.status == 200));
    }
    app.settle().await;
    assert_eq!(app.count("/contacts").await, 121);
    app.local().calls().fail("UpdateItem", local::Fault::RejectAfter(10));
    app.client.delete(&app.operator, &format!("/tenants/{acme}")).await.expect(204);
    let id = eventually("an interrupted deletion", async || {
        let left = app.read("/contacts?limit=1000").await;
        (left.items().len() == 121 - 98 - 10).then(|| left.text("/0/id"))
    })
    .await;
    app.client.get(&app.operator, &format!("/contacts/{id}")).await.expect(404);
    app.set_failing("UpdateItem", false);
    app.settle().await;
    assert_eq!(app.read("/contacts").await.body, json!([]));
    let mut kinds = counters(&app);
    kinds.retain(|name, _| !name.starts_with("days-"));
    assert_eq!(kinds, expected_counters(&app));
    assert_eq!((app.count("/contacts").await, app.dead_letters()), (0, 0));
}
