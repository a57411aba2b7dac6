//! Behaviour that contacts, invoices and tenant configurations have in common.

use domain::TenantId;
use serde_json::{Value, json};
use support::{App, Reply, config, contact, invoice, with_query};

/// A kind of child: path, entity name, request body, and a field with a valid and an invalid value.
pub(crate) struct Kind {
    pub(crate) path: &'static str,
    pub(crate) entity: &'static str,
    pub(crate) body: fn(&str) -> Value,
    pub(crate) change: (&'static str, Value, Value),
}

pub(crate) fn kinds() -> [Kind; 3] {
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
            change: ("currencyCode", json!("GBP"), json!("XXX")),
        },
        Kind {
            path: "/tenant-configs",
            entity: "TenantConfig",
            body: |tenant| config(tenant, "theme"),
            change: ("configValue", json!({ "colour": "blue" }), json!([])),
        },
    ]
}

pub(crate) fn with(entity: &Value, name: &str, value: Value) -> Value {
    let mut entity = entity.clone();
    entity[name] = value;
    entity
}

pub(crate) fn codes(refused: &Reply) -> Vec<String> {
    refused.violations()
}

#[tokio::test]
async fn a_new_child_is_readable_at_once_alone_and_with_its_tenant() {
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
async fn a_child_needs_an_existing_tenant() {
    let app = App::start().await;
    let deleted = app.tenant("gone").await;
    app.client.delete(&app.operator, &format!("/tenants/{deleted}")).await.expect(204);
    let before = app.settled().await.len();
    for Kind { path, body, .. } in kinds() {
        for tenant in [&deleted, &TenantId::generate().to_string()] {
            let refused = app.client.post(&app.operator, path, &body(tenant)).await.expect(404);
            let message = format!("Entity not found: Tenant with id \"{tenant}\"");
            assert_eq!(refused.text("/error/message"), message, "{path}");
        }
        let refused = app.client.post(&app.operator, path, &body("acme")).await.expect(422);
        assert_eq!(codes(&refused), ["/tenantId format"], "{path}");
        let mut unknown = body(&deleted);
        unknown["colour"] = json!("red");
        unknown["id"] = json!(TenantId::generate());
        unknown["createdOn"] = json!("2026-01-01T00:00:00.000Z");
        let refused = app.client.post(&app.operator, path, &unknown).await.expect(422);
        assert_eq!(codes(&refused), [" additionalProperties"; 3], "{path}");
    }
    assert_eq!(app.items().len(), before);
}

#[tokio::test]
async fn a_deleted_child_disappears_from_every_read_but_its_item_is_kept() {
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
        assert_eq!(kept["deletedBy"]["S"], app.operator_id(), "the item is kept");
    }
    let unknown = app.client.delete(&app.operator, "/contacts/x").await.expect(404);
    assert_eq!(unknown.text("/error/code"), "ENTITY_NOT_FOUND");
}

#[tokio::test]
async fn unknown_ids_and_methods_are_answered_with_404_or_405() {
    let app = App::start().await;
    for Kind { path, entity, body, .. } in kinds() {
        for id in ["not-a-uuid", "6b2f0d5c-6b1e-4a55-9d2c-0d3b1f9a7e21", "%00"] {
            let own = format!("{path}/{id}");
            let put =
                app.client.put(&app.operator, &own, &body(&TenantId::generate().to_string())).await;
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
