//! Tenants cached in a real Redis: repeated reads need no DynamoDB call, and no read is stale.

use domain::{JobId, TenantId};
use lambda::aws::Aws;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use store::Store;
use support::{App, Gate, Options, Redis, Reply, SignedMessage, lead, subscription, tenant};

pub(crate) async fn silent(redis: &Redis) -> App {
    App::with_options(Options::silent().variable("REDIS_URL", &redis.url())).await
}

pub(crate) async fn made(app: &App, key: &str) -> TenantId {
    let made = app.client.post(&app.operator, "/tenants", &tenant(key)).await.expect(200);
    made.text("/id").parse().unwrap()
}

pub(crate) async fn read(app: &App, id: TenantId) -> Reply {
    app.client.get(&app.operator, &format!("/tenants/{id}")).await
}

pub(crate) async fn rename(app: &App, id: TenantId, name: &str) {
    write(app, Method::PATCH, id, &json!({ "name": name })).await;
}

async fn write(app: &App, method: Method, id: TenantId, body: &Value) {
    let path = format!("/tenants/{id}");
    let sent = app
        .client
        .send(method, &path, |request| request.bearer_auth(&app.operator).json(body))
        .await;
    sent.expect(204);
}

/// Reports the outcome of a tenant's latest job.
pub(crate) async fn report(app: &App, id: TenantId, kind: u8, status: &str) {
    let path = format!("/tenants/{id}/jobs");
    let jobs = app.client.get(&app.operator, &path).await.expect(200).body;
    let job = jobs[0]["id"].as_str().unwrap().parse().unwrap();
    let ended = json!({ "initiatorId": id, "type": kind, "status": status });
    SignedMessage::new(&app.keys, id, job, &ended).send(&app.client).await.expect(204);
}

pub(crate) async fn open_job(app: &App, id: TenantId, what: &str) {
    let path = format!("/tenants/{id}/{what}");
    app.client.post(&app.operator, &path, &subscription("BASIC")).await.expect(204);
}

/// Reads a tenant twice. Returns the value at `pointer` and the number of table calls of each read.
pub(crate) async fn twice(app: &App, id: TenantId, pointer: &str) -> [(Value, usize); 2] {
    app.settle().await;
    let mut reads = Vec::new();
    for _ in 0..2 {
        let before = app.table_calls();
        let reply = read(app, id).await.expect(200);
        reads.push((reply.body.pointer(pointer).unwrap().clone(), app.table_calls() - before));
    }
    reads.try_into().unwrap()
}

#[tokio::test]
async fn every_kind_of_write_invalidates_the_cached_tenant() {
    let redis = Redis::start().await;
    let app = silent(&redis).await;
    let id = made(&app, "acme").await;
    let status = |number: u8| [(json!(number), 1), (json!(number), 0)];
    assert_eq!(twice(&app, id, "/status").await, status(1));
    open_job(&app, id, "provision").await;
    assert_eq!(twice(&app, id, "/status").await, status(2));
    report(&app, id, 0, "failure").await;
    assert_eq!(twice(&app, id, "/status").await, status(3));
    open_job(&app, id, "provision").await;
    assert_eq!(twice(&app, id, "/status").await, status(2));
    report(&app, id, 0, "success").await;
    assert_eq!(twice(&app, id, "/status").await, status(0));
    rename(&app, id, "Patched").await;
    assert_eq!(twice(&app, id, "/name").await, [(json!("Patched"), 1), (json!("Patched"), 0)]);
    let put = json!({ "key": "acme", "name": "Put", "domains": ["acme.test"] });
    write(&app, Method::PUT, id, &put).await;
    assert_eq!(twice(&app, id, "/name").await, [(json!("Put"), 1), (json!("Put"), 0)]);
    open_job(&app, id, "deprovision").await;
    assert_eq!(twice(&app, id, "/status").await, status(4));
    report(&app, id, 1, "success").await;
    assert_eq!(twice(&app, id, "/status").await, status(5));

    let path = format!("/tenants/{id}");
    let delete = |request: RequestBuilder| request.bearer_auth(&app.operator);
    app.client.send(Method::DELETE, &path, delete).await.expect(204);
    for _ in 0..2 {
        let before = app.table_calls();
        read(&app, id).await.expect(404);
        assert_eq!(app.table_calls() - before, 1, "a missing tenant is not cached");
    }
}

#[tokio::test]
async fn a_change_by_a_subscription_or_an_invoice_invalidates_the_cached_tenant() {
    let redis = Redis::start().await;
    let app = App::with_variables(&[("REDIS_URL", &redis.url())]).await;
    let tenant = app.tenant_in_use("acme").await;
    let id: TenantId = tenant.parse().unwrap();
    let plan = app.active_plan(&json!({})).await;
    let subscription = app.subscribe(&tenant, &plan).await.expect(200).text("/id");
    assert_eq!(twice(&app, id, "/status").await[1].0, 0);
    app.act_on(&subscription, "cancel", &json!({ "when": "now" })).await.expect(200);
    assert_eq!(read(&app, id).await.body["status"], 6);

    let subscription = app.subscribe(&tenant, &plan).await.expect(200).text("/id");
    assert_eq!(read(&app, id).await.body["status"], 0);
    let failed = json!({ "outcome": "failed", "reference": "1" });
    let late = app.act_on(&subscription, "payments", &failed).await.expect(200);
    app.let_days_pass(8).await;
    app.reconcile().await;
    assert_eq!(twice(&app, id, "/status").await[1].0, 6);
    let own = format!("/invoices/{}", late.body["overdue"][0].as_str().unwrap());
    app.client.patch(&app.operator, &own, &json!({ "status": 1 })).await.expect(204);
    assert_eq!(read(&app, id).await.body["status"], 0);
}

#[tokio::test]
async fn a_slow_read_does_not_cache_a_value_older_than_a_write() {
    let redis = Redis::start().await;
    let app = silent(&redis).await;
    let id = made(&app, "acme").await;
    // The reader first finds nothing in the cache, then the tombstone of the previous write.
    for (old, new) in [("Acme", "First"), ("First", "Second")] {
        app.settle().await;
        let gate = Gate::new(app.local().env().get("AWS_ENDPOINT_URL_DYNAMODB").unwrap()).await;
        let slow = [("AWS_ENDPOINT_URL_DYNAMODB", &gate.url)].into_iter().collect();
        let env = app.local().env().with(slow);
        let slow = Store::from_env(&env, &Aws::from_env(&env).unwrap()).unwrap();
        let reading = tokio::spawn(async move { slow.tenant_for_display(id).await.unwrap() });
        gate.wait_for_response().await;
        rename(&app, id, new).await;
        app.settle().await;
        gate.open();
        let read = serde_json::to_value(reading.await.unwrap().item.name).unwrap();
        assert_eq!(read, old, "the read began before the write");
        let entry =
            redis.command(&["GET", &redis.command(&["KEYS", "*:tenant:*"]).unwrap()]).unwrap();
        assert!(entry.starts_with("gone "), "{entry}");
    }
    assert_eq!(twice(&app, id, "/name").await, [(json!("Second"), 1), (json!("Second"), 0)]);
}

#[tokio::test]
async fn the_owner_of_a_tenant_key_is_cached() {
    let redis = Redis::start().await;
    let (port, host) = (redis.port(), "127.0.0.1");
    assert_eq!(redis.command(&["CONFIG", "SET", "requirepass", "pw"]).as_deref(), Some("OK"));
    let parts = [("REDIS_HOST", host), ("REDIS_PORT", &port), ("REDIS_PASSWORD", "pw")];
    let app = App::with_variables(&parts).await;
    made(&app, "acme").await;
    app.settle().await;
    let mut calls = Vec::new();
    for _ in 0..2 {
        let before = app.table_calls();
        let path = "/tenants?filter[where][key]=acme";
        let found = app.client.get(&app.operator, path).await.expect(200).body;
        assert_eq!(found[0]["key"], "acme");
        calls.push(app.table_calls() - before);
    }
    assert_eq!(calls, [2, 1]);
    let before = app.table_calls();
    app.client.get(&app.operator, "/tenants?filter[where][key]=nobody").await.expect(200);
    app.client.get(&app.operator, "/tenants?filter[where][key]=nobody").await.expect(200);
    assert_eq!(app.table_calls() - before, 2, "the absence of a key is not cached");
}

#[tokio::test]
async fn rate_limited_routes_make_one_call_less_with_a_cache() {
    let redis = Redis::start().await;
    let app = silent(&redis).await;
    let id = made(&app, "acme").await;
    app.settle().await;
    let before = app.table_calls();
    app.client.post_without_token("/leads", &lead("ada@acme.test")).await.expect(200);
    assert_eq!(app.table_calls() - before, 3, "POST /leads");
    open_job(&app, id, "provision").await;
    app.settle().await;
    let forged = json!({ "initiatorId": id, "type": 0, "status": "success" });
    let before = app.table_calls();
    let signed = SignedMessage::new(&app.keys, id, JobId::generate(), &forged);
    signed.send(&app.client).await.expect(401);
    assert_eq!(app.table_calls() - before, 1, "POST /webhook, forged");
    signed.send_with_key(&app.client, "k").await.expect(401);
    assert_eq!(app.table_calls() - before, 2, "POST /webhook, forged and with a key");
}
