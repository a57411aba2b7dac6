//! View permissions: every route requires the permission to view the entities in its response.

use std::collections::BTreeSet;

use domain::{Permission, entities};
use filter::Schema;
use serde_json::{Value, json};
use support::{
    App, invoice,
    token::{OPERATOR, claims, token},
    with_query,
};

use crate::{children::kinds, lead_data::Party};

/// The lists with their entities.
const LISTS: [(&str, &Schema); 5] = [
    ("/leads", &entities::LEAD),
    ("/tenants", &entities::TENANT),
    ("/contacts", &entities::CONTACT),
    ("/invoices", &entities::INVOICE),
    ("/tenant-configs", &entities::TENANT_CONFIG),
];

/// Returns the permission to view an entity, or `None` for a part of another entity.
fn view_of(schema: &Schema) -> Option<&'static str> {
    match schema.entity {
        "Lead" => Some("10203"),
        "Tenant" | "Resource" => Some("10207"),
        "Contact" => Some("10211"),
        "Invoice" => Some("10215"),
        "TenantConfig" => Some("10221"),
        "Address" => None,
        other => panic!("no view permission defined for {other}"),
    }
}

fn operator(permissions: &BTreeSet<&str>) -> String {
    let permissions: Vec<_> = permissions.iter().copied().collect();
    token(OPERATOR, &claims(&permissions).to_string())
}

/// Returns every `include` of up to `levels` levels, with the permissions that it requires.
fn inclusions(schema: &Schema, levels: usize) -> Vec<(Value, BTreeSet<&'static str>)> {
    let mut all = Vec::new();
    for relation in schema.relations {
        let own: BTreeSet<_> = view_of(relation.schema).into_iter().collect();
        all.push((json!([relation.name]), own.clone()));
        if levels == 1 {
            continue;
        }
        for (include, needed) in inclusions(relation.schema, levels - 1) {
            let scoped = json!([{ "relation": relation.name, "scope": { "include": include } }]);
            all.push((scoped, &own | &needed));
        }
    }
    all
}

#[tokio::test]
async fn including_a_relation_requires_its_view_permission_on_every_route() {
    let app = App::start_silent().await;
    let bob = Party::new(&app, "bob").await;
    app.warm().await;
    let mut seen = BTreeSet::new();
    for (list, schema) in LISTS {
        let one = bob.path(&format!("{list}/{{id}}"));
        let root = view_of(schema).unwrap();
        for (include, mut needed) in inclusions(schema, 3) {
            needed.insert(root);
            let filter = json!({ "include": include });
            for path in [list, &one] {
                let path = with_query(path, "filter", &filter);
                app.client.get(&operator(&needed), &path).await.expect(200);
                app.client.get(&bob.token_with_all_permissions(), &path).await.expect(200);
                for missing in needed.iter().filter(|code| **code != root) {
                    let mut others: BTreeSet<_> =
                        Permission::ALL.iter().map(ToString::to_string).collect();
                    others.remove(*missing);
                    let others = others.iter().map(String::as_str).collect();
                    let before = app.table_calls();
                    let refused = app.client.get(&operator(&others), &path).await.expect(403);
                    assert_eq!(refused.text("/error/code"), "INCLUDE_NOT_ALLOWED", "{path}");
                    assert_eq!(refused.text("/error/message"), "NotAllowedAccess", "{path}");
                    assert_eq!(app.table_calls(), before, "{path}");
                    seen.insert((schema.entity, *missing));
                }
            }
        }
    }
    assert_eq!(seen.len(), 12, "{seen:?}");
}

#[test]
fn every_relation_declares_its_view_permission() {
    for (_, schema) in LISTS {
        let declared = |schema: &Schema| schema.view.iter().map(ToString::to_string).collect();
        let views: Vec<String> = declared(schema);
        assert_eq!(views, [view_of(schema).unwrap()]);
        for relation in schema.relations {
            let views: Vec<String> = declared(relation.schema);
            let expected: Vec<_> = view_of(relation.schema).into_iter().collect();
            assert_eq!(views, expected, "{} of {}", relation.name, schema.entity);
        }
    }
}

#[tokio::test]
async fn the_tenant_of_a_configuration_requires_both_view_permissions() {
    let app = App::start_silent().await;
    let bob = Party::new(&app, "bob").await;
    let path = format!("/tenant-configs/{}/tenant", bob.config);
    let with = |include: &str| with_query(&path, "filter", &json!({ "include": [include] }));
    app.client.get(&operator(&["10221"].into()), &path).await.expect(403);
    app.client.get(&operator(&["10207"].into()), &path).await.expect(403);
    let both = operator(&["10207", "10221"].into());
    app.client.get(&both, &path).await.expect(200);
    for (include, status) in
        [("resources", 200), ("address", 200), ("contacts", 403), ("lead", 403)]
    {
        app.client.get(&both, &with(include)).await.expect(status);
    }
    app.client.get(&bob.token, &with("contacts")).await.expect(200);
}

#[tokio::test]
async fn a_lead_may_include_its_own_data() {
    let app = App::start_silent().await;
    let (bob, zoe) = (Party::new(&app, "bob").await, Party::new(&app, "zoe").await);
    let tenant = json!({ "relation": "tenant", "scope": {
        "include": ["contacts", "resources", "lead", "address"] } });
    let filter = json!({ "include": [tenant] });
    for path in ["/leads".to_owned(), "/tenant-configs".to_owned(), bob.path("/leads/{id}")] {
        let read = app.client.get(&bob.token, &with_query(&path, "filter", &filter)).await;
        let read = read.expect(200).raw;
        assert!(read.contains("bob@bob.test") && read.contains(&bob.contact), "{path}: {read}");
        assert!(!zoe.ids().iter().any(|id| read.contains(id)), "{path}: {read}");
    }
}

#[tokio::test]
async fn a_bulk_update_requires_the_view_permission_for_its_conditions() {
    let app = App::start_silent().await;
    let bob = Party::new(&app, "bob").await;
    let before = app.settled().await;
    for (list, update, view, change) in [
        ("/tenants", "10205", "10207", json!({ "name": "Other" })),
        ("/contacts", "10209", "10211", json!({ "type": "other" })),
        ("/invoices", "10213", "10215", json!({ "status": 2 })),
        ("/tenant-configs", "10222", "10221", json!({ "configValue": {} })),
    ] {
        for conditions in [json!({}), json!({ "createdBy": "x" }), json!({ "id": bob.tenant })] {
            let path = with_query(list, "where", &conditions);
            let blind = operator(&[update].into());
            let refused = app.client.patch(&blind, &path, &change).await.expect(403);
            assert_eq!(refused.text("/error/message"), "NotAllowedAccess");
            let count = with_query(&format!("{list}/count"), "where", &conditions);
            app.client.get(&blind, &count).await.expect(403);
        }
        assert_eq!(app.items(), before, "{list}");
        let path = with_query(list, "where", &json!({ "id": bob.job }));
        app.client.patch(&operator(&[update, view].into()), &path, &change).await.expect(200);
    }
}

#[tokio::test]
async fn an_update_by_id_does_not_reveal_stored_values() {
    let app = App::start_silent().await;
    let acme = app.tenant("acme").await;
    let all: BTreeSet<String> = Permission::ALL.iter().map(ToString::to_string).collect();
    let blind: BTreeSet<_> = all
        .iter()
        .map(String::as_str)
        .filter(|code| !["10207", "10211", "10215", "10221"].contains(code))
        .collect();
    let blind = operator(&blind);
    for kind in kinds() {
        let made = app.client.post(&app.operator, kind.path, &(kind.body)(&acme)).await.expect(200);
        let own = format!("{}/{}", kind.path, made.text("/id"));
        let (name, value, _) = kind.change;
        app.client.patch(&blind, &own, &json!({ name: value })).await.expect(204);
        let stored = app.read(&own).await.body;
        let wrong = json!({ "createdBy": "me" });
        let refused = app.client.patch(&app.operator, &own, &wrong).await.expect(422);
        assert_eq!(refused.violations(), ["/createdBy const"]);
        assert!(!refused.raw.contains(&app.operator_id()), "{}", refused.raw);
        // A correct guess is refused in the same way as a wrong one.
        for (guess, right) in
            [("createdBy", &stored["createdBy"]), ("tenantId", &stored["tenantId"])]
        {
            let other = json!(domain::TenantId::generate());
            let answers = [right, &other].map(|value| json!({ guess: value }));
            let right = app.client.patch(&blind, &own, &answers[0]).await.expect(422);
            let wrong = app.client.patch(&blind, &own, &answers[1]).await.expect(422);
            assert_eq!(right.body["error"], wrong.body["error"], "{own} {guess}");
        }
        app.client.patch(&app.operator, &own, &stored).await.expect(204);
    }
    let own = format!("/tenants/{acme}");
    for status in 0..6 {
        app.client.patch(&blind, &own, &json!({ "status": status })).await.expect(409);
    }
    // The rule on two dates reveals the stored date only to callers with the view permission.
    let bill = format!("/invoices/{}", app.create("/invoices", &invoice(&acme)).await);
    let early = json!({ "endDate": "2020-01-01" });
    let refused = app.client.patch(&blind, &bill, &early).await.expect(422);
    assert_eq!(refused.violations(), ["/endDate formatMinimum"]);
    assert!(!refused.raw.contains("2026"), "{}", refused.raw);
    let refused = app.client.patch(&app.operator, &bill, &early).await.expect(422);
    assert!(refused.raw.contains("2026-01-01"), "{}", refused.raw);
}
