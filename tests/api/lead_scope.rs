//! A lead's token gives access only to the lead's own data, on every route and with any permission.

use reqwest::Method;
use serde_json::{Value, json};
use support::{App, Reply, config, contact, invoice, subscription, with_query};

use crate::{lead_data::Party, tokens::ROUTES};

/// Returns a valid body for a route, for the tenant `of`.
pub(crate) fn body(method: &str, route: &str, of: &str) -> Value {
    match (method, route) {
        ("POST", "/contacts") | ("PUT", "/contacts/{id}") => contact(of),
        ("POST", "/invoices") | ("PUT", "/invoices/{id}") => invoice(of),
        ("POST", "/tenant-configs") | ("PUT", "/tenant-configs/{id}") => config(of, "evil"),
        ("POST", "/tenants") => support::tenant("evil"),
        ("PUT", "/plans/{id}") => support::basic_plan(&json!({})),
        ("POST", "/tenants/{id}/provision") => subscription("PREMIUM"),
        ("PUT", "/tenants/{id}") => {
            json!({ "name": "evil", "key": "evil", "domains": ["evil.test"] })
        }
        _ => json!({}),
    }
}

async fn send(app: &App, token: &str, method: &str, path: &str, body: &Value) -> Reply {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    app.client.send(method, path, |request| request.bearer_auth(token).json(body)).await
}

/// Returns the items of the table that belong to a party.
fn items(app: &App, of: &Party) -> Vec<Value> {
    let mut items = app.items();
    items.retain(|item| of.ids().iter().any(|id| item.to_string().contains(id)));
    items
}

#[tokio::test]
async fn no_route_reveals_or_changes_data_of_another_lead() {
    let app = App::start_silent().await;
    let (zoe, bob) = (Party::new(&app, "zoe").await, Party::new(&app, "bob").await);
    app.settle().await;
    let before = items(&app, &zoe);
    for token in [&bob.token, &bob.token_with_all_permissions()] {
        for (method, route, _) in ROUTES {
            // Counts and bulk updates apply to the lead's own data. They are tested below.
            if route.ends_with("/count") || (*method == "PATCH" && !route.contains('{')) {
                continue;
            }
            let path = zoe.path(route);
            let reply = send(&app, token, method, &path, &body(method, route, &zoe.tenant)).await;
            let is_list = *method == "GET"
                && !path.contains(zoe.path("/x/{id}").as_str())
                && reply.status == 200;
            let edits_a_lead = route.starts_with("/leads") && *method != "GET";
            assert!(
                matches!(reply.status, 403 | 404)
                    || is_list
                    || (edits_a_lead && reply.status == 405),
                "{method} {route}: {} {}",
                reply.status,
                reply.body
            );
            // An error may repeat the requested path.
            let revealed = if reply.status == 200 { reply.raw.clone() } else { String::new() };
            assert!(
                !zoe.ids().iter().any(|id| revealed.contains(id)),
                "{method} {route}: {revealed}"
            );
            assert!(!reply.raw.contains("zoe"), "{method} {route}: {}", reply.raw);
        }
    }
    app.settle().await;
    assert_eq!(items(&app, &zoe), before);
    assert_eq!(app.items_of("tenant").len(), 2);
}

#[tokio::test]
async fn lists_counts_and_bulk_updates_are_limited_to_own_data() {
    let app = App::start_silent().await;
    let (zoe, bob) = (Party::new(&app, "zoe").await, Party::new(&app, "bob").await);
    app.settle().await;
    let (token, before) = (bob.token_with_all_permissions(), items(&app, &zoe));
    for (list, own, others, change) in [
        ("/leads", &bob.lead, &zoe.lead, None),
        ("/tenants", &bob.tenant, &zoe.tenant, Some(json!({ "name": "mine" }))),
        ("/invoices", &bob.invoice, &zoe.invoice, Some(json!({ "status": 2 }))),
        ("/tenant-configs", &bob.config, &zoe.config, Some(json!({ "configValue": {} }))),
    ] {
        let every = json!({});
        for (conditions, found) in [
            (every.clone(), vec![json!(own)]),
            (json!({ "id": own }), vec![json!(own)]),
            (json!({ "id": others }), vec![]),
            (json!({ "id": { "inq": [own, others] } }), vec![json!(own)]),
            (json!({ "or": [{ "id": others }, { "id": { "exists": true } }] }), vec![json!(own)]),
            (json!({ "createdOn": { "gt": "2020-01-01" } }), vec![json!(own)]),
        ] {
            let filter = json!({ "where": conditions });
            let listed =
                app.client.get(&token, &with_query(list, "filter", &filter)).await.expect(200);
            assert_eq!(listed.each("id"), found, "{list} {conditions}");
            let count = with_query(&format!("{list}/count"), "where", &conditions);
            let counted = app.client.get(&token, &count).await.expect(200);
            assert_eq!(counted.body, json!({ "count": found.len() }), "{list} {conditions}");
            let Some(change) = &change else { continue };
            let bulk = with_query(list, "where", &conditions);
            let changed = app.client.patch(&token, &bulk, change).await.expect(200);
            assert_eq!(changed.body, json!({ "count": found.len() }), "{list} {conditions}");
        }
    }
    let contacts = app.client.get(&token, "/contacts").await.expect(200);
    assert_eq!(contacts.each("tenantId"), [json!(bob.tenant), json!(bob.tenant)]);
    let foreign =
        with_query("/contacts", "filter", &json!({ "where": { "tenantId": zoe.tenant } }));
    assert_eq!(app.client.get(&token, &foreign).await.expect(200).body, json!([]));
    for (narrowing, value) in [("key", "zoe"), ("leadId", &*zoe.lead)] {
        let filter = json!({ "where": { narrowing: value } });
        let foreign = with_query("/tenants", "filter", &filter);
        assert_eq!(app.client.get(&token, &foreign).await.expect(200).body, json!([]));
    }
    app.settle().await;
    assert_eq!(items(&app, &zoe), before);
}

#[tokio::test]
async fn cursors_are_valid_only_for_the_caller_they_were_issued_to() {
    let app = App::start_silent().await;
    let (zoe, bob) = (Party::new(&app, "zoe").await, Party::new(&app, "bob").await);
    let first =
        app.client.get(&bob.token_with_all_permissions(), "/contacts?limit=1").await.expect(200);
    let next = first.next_page().unwrap();
    let second = app.client.get(&bob.token_with_all_permissions(), &next).await.expect(200);
    assert_eq!(second.each("tenantId"), [json!(bob.tenant)]);
    assert_eq!(second.next_page(), None);
    for stranger in [&zoe.token_with_all_permissions(), &app.operator] {
        let refused = app.client.get(stranger, &next).await.expect(400);
        assert!(refused.text("/error/message").starts_with("cursor"));
    }
    let operators = app.read("/contacts?limit=1").await.next_page().unwrap();
    app.client.get(&bob.token_with_all_permissions(), &operators).await.expect(400);
}

#[tokio::test]
async fn included_relations_are_limited_to_own_data() {
    let app = App::start_silent().await;
    let (zoe, bob) = (Party::new(&app, "zoe").await, Party::new(&app, "bob").await);
    let tenant = json!({ "relation": "tenant", "scope": {
        "include": ["contacts", "resources", "lead", "address"] } });
    let relations = json!(["contacts", "resources", "address",
        { "relation": "lead", "scope": { "include": ["tenant", "address"] } }]);
    for (list, include) in [
        ("/contacts", json!([tenant])),
        ("/invoices", json!([tenant])),
        ("/tenant-configs", json!([tenant])),
        ("/leads", json!([tenant, "address"])),
        ("/tenants", relations),
    ] {
        let path = with_query(list, "filter", &json!({ "include": include }));
        let read = app.client.get(&bob.token_with_all_permissions(), &path).await.expect(200);
        assert!(read.raw.contains(&bob.tenant) && read.raw.contains("bob@bob.test"), "{list}");
        assert!(!read.raw.contains("zoe"), "{list}: {}", read.raw);
        assert!(!zoe.ids().iter().any(|id| read.raw.contains(id)), "{list}: {}", read.raw);
    }
}

#[tokio::test]
async fn a_lead_can_use_its_own_data_within_its_permissions() {
    let app = App::with_variables(&[("LEAD_INVOICES", "true")]).await;
    let bob = Party::new(&app, "bob").await;
    for path in [
        format!("/tenant-configs/{}", bob.config),
        format!("/tenant-configs/{}/tenant", bob.config),
        format!("/invoices/{}/download", bob.invoice),
        format!("/invoices/download?id={}", bob.invoice),
        format!("/leads/{}", bob.lead),
    ] {
        app.client.get(&bob.token, &path).await.expect(200);
    }
    app.client.post(&bob.token, "/invoices", &invoice(&bob.tenant)).await.expect(200);
    app.client.post(&bob.token, "/tenant-configs", &config(&bob.tenant, "own")).await.expect(200);
    let own = format!("/tenant-configs/{}", bob.config);
    app.client.patch(&bob.token, &own, &json!({ "configValue": {} })).await.expect(204);
    app.client.delete(&bob.token, &own).await.expect(204);
    for path in ["/contacts", "/invoices", "/tenants"] {
        app.client.get(&bob.token, path).await.expect(403);
    }
}
