//! The features that tenants may use.

use domain::{PlanId, TenantId};
use reqwest::Method;
use serde_json::{Value, json};
use support::{App, Reply, join_all};

use crate::lead_data::Party;

fn path(tenant: &str) -> String {
    format!("/tenants/{tenant}/entitlements")
}

async fn put(app: &App, tenant: &str, key: &str, value: &Value) -> Reply {
    let body = json!({ "value": value });
    app.client.put(&app.operator, &format!("{}/{key}", path(tenant)), &body).await
}

/// Gives a tenant the features of a plan, as its subscription does.
async fn with_plan(app: &App, tenant: &str, plan: &PlanId, features: Value) {
    app.settle().await;
    let text = |text: &str| json!({ "S": text });
    app.import(vec![json!({
        "pk": text(&format!("TENANT#{tenant}")), "sk": text("TENANT#ENTITLEMENTS"),
        "entity": text("entitlements"), "version": { "N": "1" }, "id": text(tenant),
        "modifiedOn": text("2026-01-01T00:00:00.000Z"), "modifiedBy": text("system"),
        "plan": { "M": { "planId": text(&plan.to_string()), "features": { "M": features } } },
    })]);
}

#[tokio::test]
async fn overrides_are_set_and_removed_and_each_change_is_announced() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    let none = app.read(&path(&acme)).await;
    assert_eq!(none.header("etag"), "\"1\"");
    let expected = json!({ "tenantId": acme, "status": 1, "planId": null, "features": {} });
    assert_eq!(none.body, expected);

    for (key, value) in [("seats", json!(25)), ("sso", json!(true)), ("region", json!("eu"))] {
        put(&app, &acme, key, &value).await.expect(204);
    }
    let changed = put(&app, &acme, "seats", &json!(2.5)).await.expect(204);
    assert_eq!(changed.header("etag"), "\"5\"");
    app.client.delete(&app.operator, &format!("{}/sso", path(&acme))).await.expect(204);
    put(&app, &acme, "seats", &json!(2.5)).await.expect(204);
    let read = app.read(&path(&acme)).await;
    assert_eq!(read.header("etag"), "\"7\"");
    let features = json!({
        "region": { "value": "eu", "source": "override" },
        "seats": { "value": 2.5, "source": "override" },
    });
    assert_eq!(read.body["features"], features);

    app.settle().await;
    let events = app.events_of("ENTITLEMENTS_CHANGED");
    assert_eq!(events.len(), 5, "the last request changed nothing");
    let last =
        events.iter().find(|event| event["detail"]["id"] == format!("{acme}#entitlements#5"));
    let detail = &last.unwrap()["detail"];
    let told = json!({ "tenantId": acme, "planId": null, "features": features });
    assert_eq!(detail["entitlements"], told);
    assert!(detail["requestId"].is_string());
    let log = app.read(&format!("/tenants/{acme}/audit")).await;
    assert_eq!(log.each("action")[0], "entitlements.updated");
    let changes = json!([{ "path": "/overrides/sso", "from": true }]);
    assert!(log.each("changes").contains(&changes), "{}", log.body);
    assert_eq!(app.dead_letters(), 0);
}

#[tokio::test]
async fn an_override_wins_over_the_plan_until_it_is_removed() {
    let app = App::start().await;
    let (acme, plan) = (app.tenant("acme").await, PlanId::generate());
    with_plan(&app, &acme, &plan, json!({ "seats": { "N": "5" }, "sso": { "BOOL": true } })).await;
    put(&app, &acme, "seats", &json!(25)).await.expect(204);
    let read = app.read(&path(&acme)).await.body;
    assert_eq!(read["planId"], json!(plan));
    assert_eq!(read["features"]["seats"], json!({ "value": 25, "source": "override" }));
    assert_eq!(read["features"]["sso"], json!({ "value": true, "source": "plan" }));
    let seats = format!("{}/seats", path(&acme));
    app.client.delete(&app.operator, &seats).await.expect(204);
    let read = app.read(&path(&acme)).await.body;
    assert_eq!(read["features"]["seats"], json!({ "value": 5, "source": "plan" }));
    let gone = app.client.delete(&app.operator, &seats).await.expect(404);
    assert_eq!(gone.text("/error/code"), "ENTITY_NOT_FOUND");
}

#[tokio::test]
async fn a_product_asks_in_one_call_for_half_a_unit_and_learns_of_every_change() {
    let app = App::start().await;
    let (acme, _) = app.provisioning("acme", "BASIC").await;
    let acme = acme.to_string();
    app.wait_for_status(&acme, 0).await;
    app.warm().await;
    app.settle().await;
    put(&app, &acme, "seats", &json!(25)).await.expect(204);
    app.local().calls().meter();
    let (calls, cost) = (app.table_calls(), app.table_cost());
    let first = app.read(&path(&acme)).await;
    let (calls, cost) = (app.table_calls() - calls, app.table_cost() - cost);
    assert_eq!(format!("{calls}, {cost}"), "1, R 0.5");
    let unless = async |tag: &str| {
        let send = |request: reqwest::RequestBuilder| {
            request.bearer_auth(&app.operator).header("if-none-match", tag)
        };
        app.client.send(Method::GET, &path(&acme), send).await
    };
    unless(first.header("etag")).await.expect(304);
    app.client
        .post(&app.operator, &format!("/tenants/{acme}/suspend"), &json!({}))
        .await
        .expect(204);
    let suspended = unless(first.header("etag")).await.expect(200);
    assert_eq!(suspended.body["status"], 6);
    assert_eq!(suspended.body["features"], first.body["features"]);
    put(&app, &acme, "seats", &json!(26)).await.expect(204);
    unless(suspended.header("etag")).await.expect(200);
}

#[tokio::test]
async fn invalid_overrides_are_refused() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    app.settle().await;
    let before = app.items();
    for key in ["7seats", "a%20b", &"k".repeat(65), "%C3%A9"] {
        let refused = put(&app, &acme, key, &json!(1)).await.expect(400);
        assert_eq!(refused.text("/error/code"), "INVALID_PARAMETER_VALUE", "{key}");
    }
    for (value, violation) in [
        (json!(null), "/value type"),
        (json!([1]), "/value type"),
        (json!(1_234_567_890_123_456_i64), "/value digits"),
        (json!("x".repeat(256)), "/value maxLength"),
    ] {
        let refused = put(&app, &acme, "seats", &value).await.expect(422);
        assert_eq!(refused.violations(), [violation]);
    }
    let nobody = TenantId::generate().to_string();
    put(&app, &nobody, "seats", &json!(1)).await.expect(404);
    app.client.get(&app.operator, &path(&nobody)).await.expect(404);
    app.client.delete(&app.operator, &format!("{}/seats", path(&nobody))).await.expect(404);
    assert_eq!(app.items(), before);
    let full = (0..100).map(|n| (format!("f{n}"), json!({ "N": "1" })));
    with_plan(&app, &acme, &PlanId::generate(), json!({})).await;
    let mut item = app.items_of("entitlements").remove(0);
    item["overrides"] = json!({ "M": full.collect::<serde_json::Map<_, _>>() });
    app.import(vec![item]);
    let refused = put(&app, &acme, "another", &json!(1)).await.expect(422);
    assert_eq!(refused.violations(), [" maxProperties"]);
    put(&app, &acme, "f7", &json!(2)).await.expect(204);
}

#[tokio::test]
async fn a_lead_reads_the_entitlements_of_its_own_tenant_only() {
    let app = App::start().await;
    let (zoe, bob) = (Party::new(&app, "zoe").await, Party::new(&app, "bob").await);
    app.client.get(&zoe.token, &path(&zoe.tenant)).await.expect(200);
    app.client.get(&bob.token, &path(&zoe.tenant)).await.expect(403);
    for token in [&zoe.token, &zoe.token_with_all_permissions()] {
        let seats = format!("{}/seats", path(&zoe.tenant));
        app.client.put(token, &seats, &json!({ "value": 1000 })).await.expect(403);
        app.client.delete(token, &seats).await.expect(403);
    }
}

#[tokio::test]
async fn overrides_set_at_the_same_time_are_all_kept() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    let sent = (0..8).map(|n| {
        let (app, acme) = (&app, &acme);
        async move { put(app, acme, &format!("f{n}"), &json!(n)).await }
    });
    for reply in join_all(sent).await {
        assert!([204, 503].contains(&reply.status), "{}", reply.raw);
    }
    let read = app.read(&path(&acme)).await.body;
    let version = app.items_of("entitlements")[0]["version"]["N"].as_str().unwrap().to_owned();
    assert_eq!(read["features"].as_object().unwrap().len().to_string(), version);
}

#[tokio::test]
async fn an_override_is_set_only_at_the_expected_version() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    let seats = format!("{}/seats", path(&acme));
    let at = async |method: Method, tag: &str| {
        let send = |request: reqwest::RequestBuilder| {
            let request = request.bearer_auth(&app.operator).header("if-match", tag);
            request.json(&json!({ "value": 1 }))
        };
        app.client.send(method, &seats, send).await
    };
    at(Method::PUT, "\"2\"").await.expect(412);
    at(Method::PUT, "\"1\"").await.expect(204);
    app.client
        .patch(&app.operator, &format!("/tenants/{acme}"), &json!({ "name": "New" }))
        .await
        .expect(204);
    let late = at(Method::DELETE, "\"2\"").await.expect(412);
    assert_eq!(late.header("etag"), "\"3\"", "the tenant's own version counts, too");
    at(Method::DELETE, "\"3\"").await.expect(204);
}

#[tokio::test]
async fn a_subscription_gives_the_features_of_its_plan_while_it_is_in_use() {
    let app = App::start().await;
    let (acme, plan) = (app.tenant_in_use("acme").await, app.active_plan(&json!({})).await);
    put(&app, &acme, "beta", &json!(true)).await.expect(204);
    let made = app.subscribe(&acme, &plan).await.expect(200);
    let read = app.read(&path(&acme)).await.body;
    assert_eq!(read["planId"], json!(plan));
    assert_eq!(read["features"]["seats"], json!({ "value": 5, "source": "plan" }));
    assert_eq!(read["features"]["beta"], json!({ "value": true, "source": "override" }));
    let cancel = format!("/subscriptions/{}/cancel", made.text("/id"));
    app.client.post(&app.operator, &cancel, &json!({ "when": "now" })).await.expect(200);
    let read = app.read(&path(&acme)).await.body;
    let overridden = json!({ "beta": { "value": true, "source": "override" } });
    assert_eq!((&read["status"], &read["planId"]), (&json!(6), &Value::Null));
    assert_eq!(read["features"], overridden);
    app.settle().await;
    assert_eq!(app.events_of("ENTITLEMENTS_CHANGED").len(), 3);
    assert_eq!(app.events_of("TENANT_SUSPENDED").len(), 1);
    assert_eq!(
        app.emails_to("ops@acme.test")
            .iter()
            .filter(|mail| mail["subject"] == "Your workspace is suspended: Acme on Tenantry")
            .count(),
        1
    );
    assert_eq!(app.dead_letters(), 0);
}
