//! Lists, counts and updates of tenants.

use reqwest::Method;
use serde_json::{Value, json};
use support::{App, join_all, tenant, with_query};

pub(crate) async fn listed(app: &App, list: &str, conditions: Value) -> Vec<Value> {
    let filter = json!({ "where": conditions, "order": "createdOn ASC" });
    app.read(&with_query(list, "filter", &filter)).await.each("id")
}

async fn counted(app: &App, list: &str, conditions: &Value) -> u64 {
    let path = with_query(&format!("{list}/count"), "where", conditions);
    app.read(&path).await.body["count"].as_u64().unwrap()
}

#[tokio::test]
async fn tenants_can_be_filtered_and_counted_by_status_key_and_lead() {
    let app = App::start_silent().await;
    let lead = app.verified_lead("ada@acme.test").await;
    let body = json!({ "key": "ofalead", "domains": ["acme.test"] });
    let made = app.client.post(&lead.token, &format!("/leads/{}/tenants", lead.id), &body).await;
    let of_a_lead = made.expect(200).text("/id");
    let (busy, _) = app.provisioning("busy", "BASIC").await;
    let idle = app.tenant("idle").await;
    let every = [&of_a_lead, &busy.to_string(), &idle].map(|id| json!(id));
    let [lead_s, busy, idle] = every.clone();
    for (conditions, found) in [
        (json!({}), every.to_vec()),
        (json!({ "status": 1 }), vec![lead_s.clone(), idle.clone()]),
        (json!({ "status": { "inq": [2] } }), vec![busy.clone()]),
        (json!({ "status": 1.5 }), vec![]),
        (json!({ "status": 700 }), vec![]),
        (json!({ "status": null }), vec![]),
        (json!({ "key": "idle" }), vec![idle.clone()]),
        (json!({ "key": "IDLE" }), vec![]),
        (json!({ "key": "idle", "status": 2 }), vec![]),
        (json!({ "key": { "inq": ["idle", "busy", "none"] } }), vec![busy.clone(), idle.clone()]),
        (json!({ "leadId": lead.id.to_uppercase() }), vec![lead_s.clone()]),
        (json!({ "leadId": idle }), vec![]),
        (json!({ "leadId": null }), vec![busy.clone(), idle.clone()]),
        (
            json!({ "or": [{ "key": "idle" }, { "leadId": lead.id }] }),
            vec![lead_s.clone(), idle.clone()],
        ),
        (
            json!({ "and": [{ "status": 1 }, { "domains": { "contains": ["ACME.test"] } }] }),
            vec![lead_s, idle],
        ),
    ] {
        assert_eq!(listed(&app, "/tenants", conditions.clone()).await, found, "{conditions}");
        app.settle().await;
        let count = u64::try_from(found.len()).unwrap();
        assert_eq!(counted(&app, "/tenants", &conditions).await, count, "{conditions}");
    }
    assert_eq!(app.count("/tenants").await, 3);
}

#[tokio::test]
async fn a_tenant_can_be_sent_back_as_read_but_its_status_cannot_be_set() {
    let app = App::start().await;
    let mut body = tenant("acme");
    body["city"] = json!("London");
    let id = app.create("/tenants", &body).await;
    let own = format!("/tenants/{id}");
    let all = format!("/tenants?where[id]={id}");
    for method in [Method::PATCH, Method::PUT] {
        let read = app.read(&own).await.raw;
        app.client.send_text(method, &app.operator, &own, &read).await.expect(204);
    }
    let (read, before) = (app.read(&own).await.body, app.settled().await);
    for status in [json!(0), json!(2), json!("1"), json!(null)] {
        let mut whole = read.clone();
        whole["status"] = status.clone();
        let change = json!({ "status": status });
        for refused in [
            app.client.patch(&app.operator, &own, &change).await,
            app.client.put(&app.operator, &own, &whole).await,
            app.client.patch(&app.operator, &all, &change).await,
        ] {
            assert_eq!(refused.expect(409).text("/error/name"), "ConflictError", "{status}");
        }
    }
    for (name, value) in [
        ("leadId", json!(id)),
        ("addressId", json!(null)),
        ("tier", json!("PREMIUM")),
        ("suspension", json!({ "reason": "other" })),
        ("previous", json!({ "isolation": "pool" })),
        ("createdBy", json!("me")),
        ("deleted", json!(true)),
    ] {
        let refused =
            app.client.patch(&app.operator, &own, &json!({ name: value })).await.expect(422);
        assert_eq!(refused.violations(), [format!("/{name} const")]);
    }
    for (body, violations) in [
        (json!({ "domains": [] }), vec!["/domains minItems"]),
        (
            json!({ "key": "Acme!", "name": "", "contacts": [] }),
            vec!["/name minLength", "/key pattern", " additionalProperties"],
        ),
        (json!({ "street": "5 Main St" }), vec![" additionalProperties"]),
    ] {
        let refused = app.client.patch(&app.operator, &own, &body).await.expect(422);
        assert_eq!(refused.violations(), violations);
    }
    assert_eq!(app.items(), before);

    let change = json!({ "status": 1, "spocUserId": "u-1", "domains": ["New.test"] });
    app.client.patch(&app.operator, &own, &change).await.expect(204);
    let changed =
        app.read(&with_query(&own, "filter", &json!({ "include": ["address"] }))).await.body;
    assert_eq!(
        (&changed["spocUserId"], &changed["domains"]),
        (&json!("u-1"), &json!(["new.test"]))
    );
    assert_eq!(changed["address"]["city"], "London");
    let whole = json!({ "name": "Acme", "key": "acme", "domains": ["acme.test"] });
    app.client.put(&app.operator, &own, &whole).await.expect(204);
    let put = app.read(&own).await.body;
    assert_eq!((&put["spocUserId"], &put["addressId"]), (&json!(null), &read["addressId"]));
}

#[tokio::test]
async fn renaming_a_key_claims_the_new_one_and_does_not_release_the_old_one() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    app.tenant("other").await;
    let own = format!("/tenants/{acme}");
    let before = app.settled().await;
    let taken = app.client.patch(&app.operator, &own, &json!({ "key": "other" })).await.expect(409);
    assert_eq!(
        taken.text("/error/message"),
        "Unique constraint violation error ! Key (key)=(other) already exists."
    );
    assert_eq!(app.items(), before);
    app.client.patch(&app.operator, &own, &json!({ "key": "new" })).await.expect(204);
    assert_eq!(listed(&app, "/tenants", json!({ "key": "new" })).await, [json!(acme)]);
    assert_eq!(listed(&app, "/tenants", json!({ "key": "acme" })).await, [Value::Null; 0]);
    for key in ["acme", "new"] {
        app.client.post(&app.operator, "/tenants", &tenant(key)).await.expect(409);
    }
    app.client.patch(&app.operator, &own, &json!({ "key": "acme" })).await.expect(204);
    assert_eq!(app.read(&own).await.body["key"], "acme", "the tenant's own previous key");
    app.client.post(&app.operator, "/tenants", &tenant("new")).await.expect(409);

    let all = "/tenants?where={}";
    let refused = app.client.patch(&app.operator, all, &json!({ "key": "same" })).await.expect(400);
    assert!(refused.text("/error/message").contains("one entity at a time"));
}

#[tokio::test]
async fn one_of_six_tenants_that_concurrently_rename_to_one_key_gets_it() {
    let app = App::start().await;
    let ids = join_all((0..6).map(|n| {
        let (app, key) = (&app, format!("t{n}"));
        async move { app.tenant(&key).await }
    }))
    .await;
    let change = json!({ "key": "wanted" });
    let paths: Vec<_> = ids.iter().map(|id| format!("/tenants/{id}")).collect();
    let sent =
        join_all(paths.iter().map(|path| app.client.patch(&app.operator, path, &change))).await;
    let mut statuses: Vec<_> = sent.iter().map(|sent| sent.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409, 409, 409, 409, 409]);
    let holders = app.items_of("tenant").into_iter().filter(|item| item["key"]["S"] == "wanted");
    assert_eq!(holders.count(), 1);
}

#[tokio::test]
async fn a_bulk_update_changes_only_matching_tenants() {
    let app = App::start_silent().await;
    let (busy, _) = app.provisioning("busy", "BASIC").await;
    for key in ["a", "b"] {
        app.tenant(key).await;
    }
    let change = json!({ "name": "Renamed" });
    let some = with_query("/tenants", "where", &json!({ "status": 1 }));
    let changed = app.client.patch(&app.operator, &some, &change).await.expect(200);
    assert_eq!(changed.body, json!({ "count": 2 }));
    assert_eq!(app.read(&format!("/tenants/{busy}")).await.body["name"], "Acme");
    for query in ["", "?where[statu]=1", "?where[status][=1", "?where={\"status\":}"] {
        let refused = app.client.patch(&app.operator, &format!("/tenants{query}"), &change).await;
        refused.expect(400);
    }
    assert_eq!(app.read(&format!("/tenants/{busy}")).await.body["name"], "Acme");
    let status = json!({ "status": 1 });
    app.client.patch(&app.operator, "/tenants?where={}", &status).await.expect(409);
    let changed = app.client.patch(&app.operator, &some, &status).await.expect(200);
    assert_eq!(changed.body, json!({ "count": 2 }));
}
