//! What contacts, invoices and tenant configurations do alike, for each of them.

use reqwest::Method;
use serde_json::{Map, Value, json};
use shared::domain::TenantId;
use support::{App, Reply, at_once, config, contact, invoice, with_query};

/// A kind of children: its path, what it is called, one of a tenant, a change of it.
struct Kind {
    path: &'static str,
    entity: &'static str,
    body: fn(&str) -> Value,
    change: (&'static str, Value, Value),
}

fn kinds() -> [Kind; 3] {
    [
        Kind {
            path: "/contacts",
            entity: "Contact",
            body: contact,
            change: ("firstName", json!("Ada"), json!("")),
        },
        Kind {
            path: "/invoices",
            entity: "Invoice",
            body: invoice,
            change: ("status", json!(1), json!(7)),
        },
        Kind {
            path: "/tenant-configs",
            entity: "TenantConfig",
            body: |tenant| config(tenant, "theme"),
            change: ("configValue", json!({ "colour": "blue" }), json!([])),
        },
    ]
}

/// `entity` without what moves on every change.
fn still(entity: &Value) -> Map<String, Value> {
    let mut members = entity.as_object().unwrap().clone();
    members.retain(|name, _| !["modifiedOn", "modifiedBy"].contains(&name.as_str()));
    members
}

fn with(entity: &Value, name: &str, value: Value) -> Value {
    let mut entity = entity.clone();
    entity[name] = value;
    entity
}

fn codes(refused: &Reply) -> Vec<String> {
    refused.violations()
}

#[tokio::test]
async fn what_was_created_is_read_at_once_by_id_and_with_its_tenant() {
    let app = App::start().await;
    let tenant = app.tenant("acme").await;
    for Kind { path, body, .. } in kinds() {
        let made = app.client.post(&app.operator, path, &body(&tenant)).await.expect(200);
        let own = format!("{path}/{}", made.text("/id"));
        assert_eq!(app.read(&own).await.raw, made.raw, "{path}");
        assert_eq!(made.text("/createdBy"), app.operator_id());
        assert_eq!(made.body["createdOn"], made.body["modifiedOn"]);
        assert_eq!((&made.body["deleted"], &made.body["deletedOn"]), (&json!(false), &json!(null)));

        let filter =
            json!({ "include": [{ "relation": "tenant", "scope": { "fields": ["key"] } }] });
        let with_tenant = app.read(&with_query(&own, "filter", &filter)).await.body;
        assert_eq!(with_tenant, with(&made.body, "tenant", json!({ "key": "acme" })), "{path}");
        let filter = json!({ "where": { "tenantId": tenant, "id": made.body["id"] }, "include": ["tenant"] });
        let listed = app.read(&with_query(path, "filter", &filter)).await;
        assert_eq!(listed.each("id"), [made.body["id"].clone()]);
        assert_eq!(listed.body[0]["tenant"]["id"], json!(tenant), "{path}");
    }
}

#[tokio::test]
async fn a_child_of_no_tenant_is_not_found_and_of_a_bad_id_is_a_violation() {
    let app = App::start().await;
    let deleted = app.tenant("gone").await;
    app.client.delete(&app.operator, &format!("/tenants/{deleted}")).await.expect(204);
    let before = app.items().len();
    for Kind { path, body, .. } in kinds() {
        for tenant in [&deleted, &TenantId::mint().to_string()] {
            let refused = app.client.post(&app.operator, path, &body(tenant)).await.expect(404);
            let message = format!("Entity not found: Tenant with id \"{tenant}\"");
            assert_eq!(refused.text("/error/message"), message, "{path}");
        }
        let refused = app.client.post(&app.operator, path, &body("acme")).await.expect(422);
        assert_eq!(codes(&refused), ["/tenantId format"], "{path}");
        let mut unknown = body(&deleted);
        unknown["colour"] = json!("red");
        unknown["id"] = json!(TenantId::mint());
        unknown["createdOn"] = json!("2026-01-01T00:00:00.000Z");
        let refused = app.client.post(&app.operator, path, &unknown).await.expect(422);
        assert_eq!(codes(&refused), [" additionalProperties"; 3], "{path}");
    }
    assert_eq!(app.items().len(), before);
}

#[tokio::test]
async fn a_patch_keeps_what_it_does_not_name_and_a_put_drops_it() {
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
        assert_eq!(still(&read), still(&with(&made, name, value.clone())), "{path}");
        assert!(read["modifiedOn"].as_str() > made["modifiedOn"].as_str(), "{path}");

        if optional.is_empty() {
            continue;
        }
        let mut whole = body(&tenant);
        whole.as_object_mut().unwrap().remove(optional);
        app.client.put(&app.operator, &own, &whole).await.expect(204);
        let read = app.read(&own).await.body;
        assert_eq!(still(&read), still(&with(&made, optional, json!(null))), "{path}");
        app.client.patch(&app.operator, &own, &json!({ optional: "again" })).await.expect(204);
        assert_eq!(app.read(&own).await.body[optional], "again");
        app.client.patch(&app.operator, &own, &json!({ optional: null })).await.expect(204);
        assert_eq!(app.read(&own).await.body[optional], json!(null));
    }
}

#[tokio::test]
async fn a_put_must_be_whole_and_a_bad_change_changes_nothing() {
    let app = App::start().await;
    let tenant = app.tenant("acme").await;
    for (Kind { path, body, change: (name, value, bad), .. }, required) in
        kinds().into_iter().zip([4, 6, 2])
    {
        let own = format!("{path}/{}", app.create(path, &body(&tenant)).await);
        app.settle().await;
        let before = app.items();
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
        // A body is looked at before it is known whether there is anything to change.
        let nobody = format!("{path}/{}", TenantId::mint());
        app.client.patch(&app.operator, &nobody, &json!({ name: bad })).await.expect(422);
        app.client.patch(&app.operator, &nobody, &json!({ name: value })).await.expect(404);
    }
}

#[tokio::test]
async fn a_whole_entity_sent_back_as_it_was_read_is_accepted() {
    let app = App::start().await;
    let tenant = app.tenant("acme").await;
    for Kind { path, body, .. } in kinds() {
        let own = format!("{path}/{}", app.create(path, &body(&tenant)).await);
        for method in [Method::PATCH, Method::PUT] {
            let read = app.read(&own).await;
            app.client.send_text(method, &app.operator, &own, &read.raw).await.expect(204);
            let again = app.read(&own).await;
            assert_eq!(still(&again.body), still(&read.body), "{path}");
            assert!(again.body["modifiedOn"].as_str() > read.body["modifiedOn"].as_str());
        }
    }
}

#[tokio::test]
async fn what_is_not_for_clients_is_never_assigned() {
    let app = App::start().await;
    let (tenant, other) = (app.tenant("acme").await, app.tenant("other").await);
    for Kind { path, body, .. } in kinds() {
        let own = format!("{path}/{}", app.create(path, &body(&tenant)).await);
        let (read, before) = (app.read(&own).await.body, app.items());
        for (name, value) in [
            ("id", json!(TenantId::mint())),
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
async fn what_is_deleted_is_gone_from_every_read_and_kept() {
    let app = App::start().await;
    let tenant = app.tenant("acme").await;
    for Kind { path, entity, body, change: (name, value, _) } in kinds() {
        let id = app.create(path, &body(&tenant)).await;
        let own = format!("{path}/{id}");
        app.settle().await;
        let counted = app.count(path).await;
        app.client.delete(&app.operator, &own).await.expect(204);
        let change = json!({ name: value });
        for gone in [
            app.client.get(&app.operator, &own).await,
            app.client.delete(&app.operator, &own).await,
            app.client.patch(&app.operator, &own, &change).await,
            app.client.put(&app.operator, &own, &body(&tenant)).await,
        ] {
            let message = format!("Entity not found: {entity} with id \"{id}\"");
            assert_eq!(gone.expect(404).text("/error/message"), message);
        }
        for conditions in [json!({ "id": id }), json!({ "tenantId": tenant }), json!({})] {
            let filter = json!({ "where": conditions });
            let listed = app.read(&with_query(path, "filter", &filter)).await;
            assert!(!listed.each("id").contains(&json!(id)), "{path} {filter}");
        }
        let one = with_query(&format!("{path}/count"), "where", &json!({ "id": id }));
        assert_eq!(app.read(&one).await.body, json!({ "count": 0 }));
        let bulk = with_query(path, "where", &json!({ "id": id }));
        let bulk = app.client.patch(&app.operator, &bulk, &change).await.expect(200);
        assert_eq!(bulk.body, json!({ "count": 0 }));
        app.settle().await;
        assert_eq!(app.count(path).await, counted - 1, "{path}");
        let kept = app.items().into_iter().find(|item| item["id"]["S"] == id).unwrap();
        assert_eq!(kept["deletedBy"]["S"], app.operator_id(), "the item stays");
    }
    let unknown = app.client.delete(&app.operator, "/contacts/x").await.expect(404);
    assert_eq!(unknown.text("/error/code"), "ENTITY_NOT_FOUND");
}

#[tokio::test]
async fn a_bulk_update_changes_what_is_asked_for_and_nothing_by_mistake() {
    let app = App::start().await;
    let (acme, other) = (app.tenant("acme").await, app.tenant("other").await);
    for Kind { path, body, change: (name, value, _), entity } in kinds() {
        let (own, foreign) =
            (app.create(path, &body(&acme)).await, app.create(path, &body(&other)).await);
        let change = json!({ name: value });
        app.settle().await;
        let before = app.items();
        for (query, fault) in [
            (String::new(), "where: is required"),
            ("?".to_owned(), "where: is required"),
            ("?filter={}".to_owned(), "filter: is no parameter of this route (where)"),
            ("?where=".to_owned(), "where: is not valid JSON"),
            ("?where[tenant]=1".to_owned(), "where.tenant: is no property"),
            ("?where[tenantId][eqq]=1".to_owned(), "where.tenantId.eqq: is no operator"),
            ("?where[tenantId]=acme".to_owned(), "where.tenantId: must be a UUID or null"),
            ("?wher={}".to_owned(), "wher: is no parameter of this route (where)"),
            ("?where={}&where={}".to_owned(), "where: is given twice"),
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
        let none = with_query(path, "where", &json!({ "tenantId": TenantId::mint() }));
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
async fn changes_of_one_entity_at_once_are_each_made_or_refused() {
    let app = App::start().await;
    let tenant = app.tenant("acme").await;
    let own = format!("/contacts/{}", app.create("/contacts", &contact(&tenant)).await);
    let changes = ["firstName", "lastName", "type"].map(|name| json!({ name: "changed" }));
    let sent = changes.iter().map(|change| app.client.patch(&app.operator, &own, change));
    let statuses = at_once(sent).await;
    let read = app.read(&own).await.body;
    for (change, sent) in changes.iter().zip(statuses) {
        let (name, _) = change.as_object().unwrap().iter().next().unwrap();
        assert_eq!((sent.status, &read[name]), (204, &json!("changed")), "none is lost");
    }
}

#[tokio::test]
async fn what_is_no_entity_and_no_method_is_told_apart() {
    let app = App::start().await;
    for Kind { path, entity, body, .. } in kinds() {
        for id in ["not-a-uuid", "6b2f0d5c-6b1e-4a55-9d2c-0d3b1f9a7e21", "%00", "..%2f.."] {
            let own = format!("{path}/{id}");
            let put =
                app.client.put(&app.operator, &own, &body(&TenantId::mint().to_string())).await;
            for missing in [app.client.get(&app.operator, &own).await, put] {
                let message = missing.expect(404).text("/error/message");
                assert!(message.starts_with(&format!("Entity not found: {entity} with id")));
            }
        }
        let put = app.client.put(&app.operator, path, &json!({})).await;
        assert!([404, 405].contains(&put.status), "{}", put.body);
        assert_eq!(put.body["error"]["statusCode"], put.status);
    }
}
