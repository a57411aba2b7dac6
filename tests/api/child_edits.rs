//! Updates of contacts, invoices and tenant configurations.

use domain::TenantId;
use reqwest::Method;
use serde_json::{Map, Value, json};
use support::{App, contact, join_all, with_query};

use crate::children::{Kind, codes, kinds, with};

/// Returns `entity` without the fields that every change updates.
fn stable(entity: &Value) -> Map<String, Value> {
    let mut members = entity.as_object().unwrap().clone();
    members.retain(|name, _| !["modifiedOn", "modifiedBy"].contains(&name.as_str()));
    members
}

#[tokio::test]
async fn patch_keeps_omitted_fields_and_put_clears_them() {
    let app = App::start().await;
    let tenant = app.tenant("acme").await;
    for (Kind { path, body, change: (name, value, _), .. }, optional) in
        kinds().into_iter().zip(["type", "invoiceFile", ""])
    {
        let made = app.client.post(&app.operator, path, &body(&tenant)).await.expect(200).body;
        let own = format!("{path}/{}", made["id"].as_str().unwrap());
        let patched = app.client.patch(&app.operator, &own, &json!({ name: value })).await;
        assert_eq!(patched.expect(204).raw, "");
        let read = app.read(&own).await.body;
        assert_eq!(stable(&read), stable(&with(&made, name, value.clone())), "{path}");
        assert!(read["modifiedOn"].as_str() > made["modifiedOn"].as_str(), "{path}");

        if optional.is_empty() {
            continue;
        }
        let mut whole = body(&tenant);
        whole.as_object_mut().unwrap().remove(optional);
        app.client.put(&app.operator, &own, &whole).await.expect(204);
        let read = app.read(&own).await.body;
        assert_eq!(stable(&read), stable(&with(&made, optional, json!(null))), "{path}");
        app.client.patch(&app.operator, &own, &json!({ optional: "again" })).await.expect(204);
        assert_eq!(app.read(&own).await.body[optional], "again");
        app.client.patch(&app.operator, &own, &json!({ optional: null })).await.expect(204);
        assert_eq!(app.read(&own).await.body[optional], json!(null));
    }
}

#[tokio::test]
async fn put_requires_all_fields_and_an_invalid_change_changes_nothing() {
    let app = App::start().await;
    let tenant = app.tenant("acme").await;
    for (Kind { path, body, change: (name, value, bad), .. }, required) in
        kinds().into_iter().zip([4, 6, 2])
    {
        let own = format!("{path}/{}", app.create(path, &body(&tenant)).await);
        let before = app.settled().await;
        let partial = app.client.put(&app.operator, &own, &json!({})).await.expect(422);
        assert_eq!(codes(&partial), vec![" required"; required], "{path}");
        let twice = json!({ name: bad, "colour": "red", "planet": 3 });
        for refused in [
            app.client.patch(&app.operator, &own, &twice).await.expect(422),
            app.client
                .patch(&app.operator, &format!("{path}?where={{}}"), &twice)
                .await
                .expect(422),
        ] {
            assert_eq!(codes(&refused).len(), 3, "{path} {}", refused.body);
        }
        let null = app.client.patch(&app.operator, &own, &json!({ name: null })).await.expect(422);
        assert_eq!(codes(&null), [format!("/{name} type")]);
        app.client.patch(&app.operator, &own, &json!([])).await.expect(422);
        app.client
            .patch(&app.operator, &own, &json!({ "tenant": { "id": tenant } }))
            .await
            .expect(422);
        let half = app.client.send_text(Method::PATCH, &app.operator, &own, "{\"type\":").await;
        half.expect(400);
        assert_eq!(app.items(), before, "{path}");
        // The body is validated before the entity is looked up.
        let nobody = format!("{path}/{}", TenantId::generate());
        app.client.patch(&app.operator, &nobody, &json!({ name: bad })).await.expect(422);
        app.client.patch(&app.operator, &nobody, &json!({ name: value })).await.expect(404);
    }
}

#[tokio::test]
async fn an_entity_can_be_sent_back_as_it_was_read() {
    let app = App::start().await;
    let tenant = app.tenant("acme").await;
    for Kind { path, body, .. } in kinds() {
        let own = format!("{path}/{}", app.create(path, &body(&tenant)).await);
        for method in [Method::PATCH, Method::PUT] {
            let read = app.read(&own).await;
            app.client.send_text(method, &app.operator, &own, &read.raw).await.expect(204);
            let again = app.read(&own).await;
            assert_eq!(stable(&again.body), stable(&read.body), "{path}");
            assert!(again.body["modifiedOn"].as_str() > read.body["modifiedOn"].as_str());
        }
    }
}

#[tokio::test]
async fn read_only_fields_cannot_be_changed() {
    let app = App::start().await;
    let (tenant, other) = (app.tenant("acme").await, app.tenant("other").await);
    for Kind { path, body, .. } in kinds() {
        let own = format!("{path}/{}", app.create(path, &body(&tenant)).await);
        let (read, before) = (app.read(&own).await.body, app.settled().await);
        for (name, value) in [
            ("id", json!(TenantId::generate())),
            ("tenantId", json!(other)),
            ("createdOn", json!("2026-01-01T00:00:00.000Z")),
            ("modifiedOn", json!("2026-01-01T00:00:00.000Z")),
            ("createdBy", json!("me")),
            ("modifiedBy", json!(null)),
            ("deleted", json!(true)),
            ("deletedOn", json!("2026-01-01T00:00:00.000Z")),
            ("deletedBy", json!("me")),
        ] {
            for refused in [
                app.client.patch(&app.operator, &own, &json!({ name: value })).await,
                app.client.put(&app.operator, &own, &with(&read, name, value.clone())).await,
                app.client
                    .patch(&app.operator, &format!("{path}?where={{}}"), &json!({ name: value }))
                    .await,
            ] {
                assert_eq!(codes(&refused.expect(422)), [format!("/{name} const")], "{path}");
            }
        }
        assert_eq!(app.items(), before, "{path}");
    }
}

#[tokio::test]
async fn a_bulk_update_changes_only_matching_entities() {
    let app = App::start().await;
    let (acme, other) = (app.tenant("acme").await, app.tenant("other").await);
    for Kind { path, body, change: (name, value, _), entity } in kinds() {
        let (own, foreign) =
            (app.create(path, &body(&acme)).await, app.create(path, &body(&other)).await);
        let change = json!({ name: value });
        let before = app.settled().await;
        for (query, fault) in [
            (String::new(), "where: is required"),
            ("?".to_owned(), "where: is required"),
            (
                "?filter={}".to_owned(),
                "filter: is not a parameter of this route (supported: where)",
            ),
            ("?where=".to_owned(), "where: is required"),
            ("?where={}&_=1".to_owned(), "_: is not a parameter of this route (supported: where)"),
            (
                "?where={%22and%22:[]}".to_owned(),
                "where.and: must be an array of at least one condition",
            ),
            ("?where={%22or%22:[{}]}".to_owned(), "where.or.0: must have a condition"),
            ("?where[tenant]=1".to_owned(), "where.tenant: is not a property"),
            ("?where[tenantId][eqq]=1".to_owned(), "where.tenantId.eqq: is not an operator"),
            ("?where[tenantId]=acme".to_owned(), "where.tenantId: must be a UUID or null"),
            ("?wher={}".to_owned(), "wher: is not a parameter of this route (supported: where)"),
            ("?where={}&where={}".to_owned(), "where: must not be given more than once"),
        ] {
            let refused = app.client.patch(&app.operator, &format!("{path}{query}"), &change).await;
            let refused = refused.expect(400);
            assert_eq!(refused.text("/error/code"), "INVALID_PARAMETER_VALUE");
            let message = refused.text("/error/message");
            assert!(message.starts_with(fault), "{path}{query}: {message}");
        }
        assert_eq!(app.items(), before, "{path}");

        let one = format!("{path}?where[tenantId]={acme}&where[id]={own}");
        let changed = app.client.patch(&app.operator, &one, &change).await.expect(200);
        assert_eq!(changed.body, json!({ "count": 1 }));
        assert_eq!(app.read(&format!("{path}/{own}")).await.body[name], value);
        assert_ne!(app.read(&format!("{path}/{foreign}")).await.body[name], value, "{path}");
        let none = with_query(path, "where", &json!({ "tenantId": TenantId::generate() }));
        let none = app.client.patch(&app.operator, &none, &change).await.expect(200);
        assert_eq!(none.body, json!({ "count": 0 }));

        app.settle().await;
        let all = app.count(path).await;
        let changed = app.client.patch(&app.operator, &format!("{path}?where={{}}"), &change).await;
        assert_eq!(changed.expect(200).body, json!({ "count": all }), "{entity}");
        assert_eq!(app.read(&format!("{path}/{foreign}")).await.body[name], value);
    }
}

#[tokio::test]
async fn concurrent_changes_of_different_fields_are_all_kept() {
    let app = App::start().await;
    let tenant = app.tenant("acme").await;
    let own = format!("/contacts/{}", app.create("/contacts", &contact(&tenant)).await);
    let changes = ["firstName", "lastName", "type"].map(|name| json!({ name: "changed" }));
    let sent = changes.iter().map(|change| app.client.patch(&app.operator, &own, change));
    let statuses = join_all(sent).await;
    let read = app.read(&own).await.body;
    for (change, sent) in changes.iter().zip(statuses) {
        let (name, _) = change.as_object().unwrap().iter().next().unwrap();
        assert_eq!((sent.status, &read[name]), (204, &json!("changed")), "no change is lost");
    }
}

#[tokio::test]
async fn sixteen_concurrent_changes_of_one_entity_all_succeed() {
    let app = App::start().await;
    let tenant = app.tenant("acme").await;
    let own = format!("/contacts/{}", app.create("/contacts", &contact(&tenant)).await);
    let changes: Vec<_> = (0..16).map(|n| json!({ "type": format!("type-{n}") })).collect();
    let sent = join_all(changes.iter().map(|change| app.client.patch(&app.operator, &own, change)));
    for answer in sent.await {
        answer.expect(204);
    }
}
