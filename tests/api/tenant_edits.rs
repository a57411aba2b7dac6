//! Lists, counts and changes of tenants, and their deletion.

use reqwest::Method;
use serde_json::{Value, json};
use support::{App, Signed, at_once, config, contact, invoice, tenant, with_query};

async fn listed(app: &App, list: &str, conditions: Value) -> Vec<Value> {
    let filter = json!({ "where": conditions, "order": "createdOn ASC" });
    app.read(&with_query(list, "filter", &filter)).await.each("id")
}

async fn counted(app: &App, list: &str, conditions: &Value) -> u64 {
    let path = with_query(&format!("{list}/count"), "where", conditions);
    app.read(&path).await.body["count"].as_u64().unwrap()
}

#[tokio::test]
async fn tenants_are_narrowed_by_status_key_and_lead_and_counted() {
    let app = App::silent().await;
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
async fn a_whole_tenant_sent_back_is_accepted_and_its_status_is_not_for_clients() {
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
    let (read, before) = (app.read(&own).await.body, app.items());
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
        (json!({ "address": "5 Main St" }), vec![" additionalProperties"]),
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
async fn a_key_that_is_changed_is_claimed_and_the_one_before_stays_taken() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    app.tenant("other").await;
    let own = format!("/tenants/{acme}");
    let before = app.items();
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
    assert_eq!(app.read(&own).await.body["key"], "acme", "its own key of before");
    app.client.post(&app.operator, "/tenants", &tenant("new")).await.expect(409);

    let all = "/tenants?where={}";
    let refused = app.client.patch(&app.operator, all, &json!({ "key": "same" })).await.expect(400);
    assert!(refused.text("/error/message").contains("one entity at a time"));
}

#[tokio::test]
async fn of_six_tenants_that_want_one_key_one_gets_it() {
    let app = App::start().await;
    let ids = at_once((0..6).map(|n| {
        let (app, key) = (&app, format!("t{n}"));
        async move { app.tenant(&key).await }
    }))
    .await;
    let change = json!({ "key": "wanted" });
    let paths: Vec<_> = ids.iter().map(|id| format!("/tenants/{id}")).collect();
    let sent =
        at_once(paths.iter().map(|path| app.client.patch(&app.operator, path, &change))).await;
    let mut statuses: Vec<_> = sent.iter().map(|sent| sent.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409, 409, 409, 409, 409]);
    let holders = app.items_of("tenant").into_iter().filter(|item| item["key"]["S"] == "wanted");
    assert_eq!(holders.count(), 1);
}

#[tokio::test]
async fn a_bulk_update_changes_the_tenants_that_are_asked_for() {
    let app = App::silent().await;
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

#[tokio::test]
async fn a_deleted_tenant_takes_all_that_is_its_own_out_of_sight_and_keeps_its_key() {
    let app = App::start().await;
    let lead = app.verified_lead("ada@acme.test").await;
    let body = json!({ "key": "acme", "domains": ["acme.test"] });
    let made = app.client.post(&lead.token, &format!("/leads/{}/tenants", lead.id), &body).await;
    let acme = made.expect(200).text("/id");
    let kept = app.tenant("kept").await;
    let mut children = Vec::new();
    for (path, body) in [
        ("/contacts", contact(&acme)),
        ("/invoices", invoice(&acme)),
        ("/tenant-configs", config(&acme, "theme")),
    ] {
        children.push((path, app.create(path, &body).await));
    }
    let kept_contact = app.create("/contacts", &contact(&kept)).await;
    app.settle().await;
    let before = ["/tenants", "/contacts", "/invoices", "/tenant-configs"];
    let mut counts = Vec::new();
    for list in before {
        counts.push(app.count(list).await);
    }
    assert_eq!(counts, [2, 4, 1, 1]);

    let own = format!("/tenants/{acme}");
    assert_eq!(app.client.delete(&app.operator, &own).await.expect(204).raw, "");
    for gone in [
        app.client.get(&app.operator, &own).await,
        app.client.delete(&app.operator, &own).await,
        app.client.patch(&app.operator, &own, &json!({ "name": "x" })).await,
        app.client.get(&app.operator, &format!("{own}/jobs")).await,
        app.client.get(&app.operator, &format!("{own}/resources")).await,
        app.client
            .post(&app.operator, &format!("{own}/provision"), &support::subscription("B"))
            .await,
        app.client.post(&app.operator, &format!("{own}/deprovision"), &json!({})).await,
    ] {
        gone.expect(404);
    }
    for (path, id) in &children {
        let gone = app.client.get(&app.operator, &format!("{path}/{id}")).await.expect(404);
        assert_eq!(gone.text("/error/code"), "ENTITY_NOT_FOUND");
        let change = app.client.patch(&app.operator, &format!("{path}/{id}"), &json!({})).await;
        change.expect(404);
        for conditions in [json!({ "tenantId": acme }), json!({ "id": id }), json!({})] {
            assert!(
                !listed(&app, path, conditions.clone()).await.contains(&json!(id)),
                "{conditions}"
            );
        }
    }
    assert_eq!(listed(&app, "/contacts", json!({ "tenantId": kept })).await.len(), 2);
    assert!(listed(&app, "/contacts", json!({})).await.contains(&json!(kept_contact)));
    for conditions in
        [json!({ "key": "acme" }), json!({ "id": acme }), json!({ "leadId": lead.id })]
    {
        assert_eq!(listed(&app, "/tenants", conditions).await, [Value::Null; 0]);
    }
    app.client.post(&app.operator, "/tenants", &tenant("acme")).await.expect(409);
    let filter = json!({ "include": ["tenant"] });
    let seen = app.read(&with_query(&format!("/leads/{}", lead.id), "filter", &filter)).await;
    assert_eq!(seen.body["tenant"], json!(null));
    let mine = app.client.get(&lead.token, "/tenant-configs").await.expect(200);
    assert_eq!(mine.body, json!([]));
    app.settle().await;
    for (list, count) in before.into_iter().zip([1, 2, 0, 0]) {
        assert_eq!(app.count(list).await, count, "{list}");
    }
}

#[tokio::test]
async fn two_hundred_and_fifty_contacts_go_with_their_tenant() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    let kept = app.tenant("kept").await;
    let body = contact(&acme);
    for _ in 0..10 {
        let made = (0..25).map(|_| app.client.post(&app.operator, "/contacts", &body));
        assert!(at_once(made).await.iter().all(|made| made.status == 200));
    }
    let all = json!({ "where": { "tenantId": acme }, "limit": 1000 });
    let all = app.read(&with_query("/contacts", "filter", &all)).await.each("id");
    assert_eq!(all.len(), 251);
    app.settle().await;
    assert_eq!(app.count("/contacts").await, 252);

    app.client.delete(&app.operator, &format!("/tenants/{acme}")).await.expect(204);
    assert_eq!(listed(&app, "/contacts", json!({ "tenantId": acme })).await, [Value::Null; 0]);
    for id in [&all[0], &all[120], &all[250]] {
        let path = format!("/contacts/{}", id.as_str().unwrap());
        app.client.get(&app.operator, &path).await.expect(404);
        app.client.patch(&app.operator, &path, &json!({ "firstName": "x" })).await.expect(404);
    }
    app.settle().await;
    let left = app.read("/contacts?limit=1000").await;
    assert_eq!(left.each("tenantId"), [json!(kept)]);
    assert_eq!(app.count("/contacts").await, 1);
    assert_eq!(app.dead_letters(), 0);
}

/// More than the table takes in one transaction, which is 4 MB of items.
#[tokio::test]
async fn a_tenant_with_the_largest_configurations_is_deleted_like_any_other() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    for n in 0..20 {
        let value = json!({ "text": "x".repeat(250_000) });
        let body = json!({ "configKey": format!("k{n}"), "configValue": value, "tenantId": acme });
        app.create("/tenant-configs", &body).await;
    }
    let filter = json!({ "where": { "tenantId": acme }, "fields": ["id"] });
    let ids = app.read(&with_query("/tenant-configs", "filter", &filter)).await.each("id");
    assert_eq!(ids.len(), 20);
    app.client.delete(&app.operator, &format!("/tenants/{acme}")).await.expect(204);
    app.settle().await;
    assert_eq!(app.read("/tenant-configs").await.body, json!([]));
    assert_eq!(app.count("/tenant-configs").await, 0);
}

#[tokio::test]
async fn a_tenant_that_a_job_works_on_is_not_deleted() {
    let app = App::silent().await;
    let (acme, job) = app.provisioning("acme", "BASIC").await;
    let own = format!("/tenants/{acme}");
    let refused = app.client.delete(&app.operator, &own).await.expect(409);
    assert_eq!(refused.text("/error/name"), "ConflictError");
    let done = json!({ "initiatorId": acme, "type": 0, "status": "success" });
    Signed::new(&app.keys, acme, job, &done).send(&app.client).await.expect(204);
    app.client.post(&app.operator, &format!("{own}/deprovision"), &json!({})).await.expect(204);
    app.client.delete(&app.operator, &own).await.expect(409);
    app.read(&own).await;
    let jobs = app.read(&format!("{own}/jobs")).await.body;
    let job = jobs[0]["id"].as_str().unwrap().parse().unwrap();
    let done = json!({ "initiatorId": acme, "type": 1, "status": "success" });
    Signed::new(&app.keys, acme, job, &done).send(&app.client).await.expect(204);
    app.client.delete(&app.operator, &own).await.expect(204);
    // Nobody is told anything of a tenant that is not there any more.
    Signed::new(&app.keys, acme, job, &done).send(&app.client).await.expect(401);
}

#[tokio::test]
async fn a_tenant_is_deleted_or_provisioned_and_never_both() {
    let app = App::silent().await;
    for n in 0..6 {
        let id = app.tenant(&format!("t{n}")).await;
        let own = format!("/tenants/{id}");
        let (provision, subscription) =
            (format!("{own}/provision"), support::subscription("BASIC"));
        let (deleted, opened) = tokio::join!(
            app.client.delete(&app.operator, &own),
            app.client.post(&app.operator, &provision, &subscription),
        );
        match (deleted.status, opened.status) {
            (204, 404) => drop(app.client.get(&app.operator, &own).await.expect(404)),
            (409, 204) => assert_eq!(app.read(&own).await.body["status"], 2),
            statuses => panic!("{statuses:?}"),
        }
    }
}
