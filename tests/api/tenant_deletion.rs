//! Deletion of tenants: what is deleted with them, and when deletion is refused.

use serde_json::{Value, json};
use support::{App, SignedMessage, config, contact, invoice, join_all, tenant, with_query};

use crate::tenant_edits::listed;

#[tokio::test]
async fn a_deleted_tenant_disappears_with_its_children_and_its_key_is_not_released() {
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
            .post(&app.operator, &format!("{own}/provision"), &support::subscription("BASIC"))
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
async fn two_hundred_and_fifty_contacts_are_deleted_with_their_tenant() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    let kept = app.tenant("kept").await;
    let body = contact(&acme);
    for _ in 0..10 {
        let made = (0..25).map(|_| app.client.post(&app.operator, "/contacts", &body));
        assert!(join_all(made).await.iter().all(|made| made.status == 200));
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

/// DynamoDB's limit is 4 MB per transaction.
#[tokio::test]
async fn a_tenant_with_more_data_than_fits_a_transaction_can_be_deleted() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    for n in 0..45 {
        let value = json!({ "text": "x".repeat(102_000) });
        let body = json!({ "configKey": format!("k{n}"), "configValue": value, "tenantId": acme });
        app.create("/tenant-configs", &body).await;
    }
    app.client.delete(&app.operator, &format!("/tenants/{acme}")).await.expect(204);
    app.settle().await;
    assert_eq!(app.read("/tenant-configs").await.body, json!([]));
    assert_eq!(app.count("/tenant-configs").await, 0);
}

#[tokio::test]
async fn a_tenant_with_a_running_job_or_resources_cannot_be_deleted() {
    let app = App::start_silent().await;
    let (acme, job) = app.provisioning("acme", "BASIC").await;
    let own = format!("/tenants/{acme}");
    let refused = app.client.delete(&app.operator, &own).await.expect(409);
    assert_eq!(refused.text("/error/name"), "ConflictError");
    let done = json!({ "initiatorId": acme, "type": 0, "status": "success" });
    SignedMessage::new(&app.keys, acme, job, &done).send(&app.client).await.expect(204);
    let refused = app.client.delete(&app.operator, &own).await.expect(409);
    assert_eq!(refused.text("/error/code"), "TENANT_HAS_RESOURCES");
    app.client.post(&app.operator, &format!("{own}/deprovision"), &json!({})).await.expect(204);
    app.client.delete(&app.operator, &own).await.expect(409);
    app.read(&own).await;
    let jobs = app.read(&format!("{own}/jobs")).await.body;
    let job = jobs[0]["id"].as_str().unwrap().parse().unwrap();
    let done = json!({ "initiatorId": acme, "type": 1, "status": "success" });
    SignedMessage::new(&app.keys, acme, job, &done).send(&app.client).await.expect(204);
    app.client.delete(&app.operator, &own).await.expect(204);
    // Reports about a deleted tenant are refused as unauthenticated.
    SignedMessage::new(&app.keys, acme, job, &done).send(&app.client).await.expect(401);
}

#[tokio::test]
async fn a_tenant_is_either_deleted_or_provisioned_but_never_both() {
    let app = App::start_silent().await;
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
