//! Limits of included relations. The header `x-truncated` names the relations that were truncated.

use serde_json::{Value, json};
use support::{App, contact, sibling, with_query};

use crate::{
    paging::created,
    response_size::{each_once, fits, pages},
};

/// Provisions the first tenant and adds `many` resources to each. A resource is about 8 KB once
/// Lambda escapes it.
async fn with_resources(app: &App, tenants: &[String], many: usize) {
    app.provision(tenants[0].parse().unwrap(), "PREMIUM").await;
    app.wait_for_status(&tenants[0], 0).await;
    app.settle().await;
    let mut item = app.items_of("resource").remove(0);
    item["externalIdentifier"] = json!({ "S": "\\".repeat(2000) });
    for tenant in tenants {
        item["pk"] = json!({ "S": format!("TENANT#{tenant}") });
        item["tenantId"] = json!({ "S": tenant });
        app.import((0..many).map(|n| sibling(&item, &created(n))[0].clone()).collect());
    }
}

#[tokio::test]
async fn included_relations_count_towards_the_size_of_a_page() {
    let app = App::start().await;
    let mut tenants = Vec::new();
    for n in 0..12 {
        tenants.push(app.tenant(&format!("t{n}")).await);
    }
    with_resources(&app, &tenants, 60).await;
    let of_tenants =
        with_query("/tenants", "filter", &json!({ "include": ["contacts", "resources"] }));
    let (items, number) = pages(&app, &app.operator, &of_tenants).await;
    each_once(&items, 12);
    assert!(number > 1, "{number}");
    let whole = |item: &Value| item["resources"].as_array().unwrap().len() >= 60;
    assert!(items.iter().all(whole), "relations are not truncated to fill a page");

    let tenant = json!({ "relation": "tenant", "scope": { "include": ["contacts", "resources"] } });
    let of_contacts =
        with_query("/contacts", "filter", &json!({ "include": [tenant], "limit": 1000 }));
    let (items, number) = pages(&app, &app.operator, &of_contacts).await;
    each_once(&items, 12);
    assert!(number > 1, "{number}");
    assert!(items.iter().all(|item| whole(&item["tenant"])));
}

#[tokio::test]
async fn a_large_relation_is_truncated_by_items_and_bytes_and_reported() {
    let app = App::start().await;
    let id = app.tenant("acme").await;
    with_resources(&app, std::slice::from_ref(&id), 300).await;
    app.create("/contacts", &contact(&id)).await;
    app.settle().await;
    let item = app.items_of("contact").remove(0);
    app.import((0..1500).flat_map(|n| sibling(&item, &created(n))).collect());
    let with = |include: Value| {
        with_query(&format!("/tenants/{id}"), "filter", &json!({ "include": include }))
    };
    let whole = app.read(&with(json!(["contacts", "resources"]))).await;
    fits(&whole);
    assert_eq!(whole.header("x-truncated"), "contacts, resources");
    assert_eq!(whole.body["contacts"].as_array().unwrap().len(), 1000);
    let resources = whole.body["resources"].as_array().unwrap().len();
    assert!((100..300).contains(&resources), "{resources}");

    for (scope, many, truncated) in [
        (json!({ "limit": 20 }), 20, ""),
        (json!({ "limit": 20, "skip": 30 }), 20, ""),
        (json!({ "fields": ["id"] }), 1000, "contacts"),
        (json!({ "fields": ["id"], "order": "email ASC" }), 1000, "contacts"),
        (json!({ "where": { "createdOn": { "gt": created(1490) } } }), 7, ""),
    ] {
        let scoped = with(json!([{ "relation": "contacts", "scope": scope }]));
        let read = app.read(&scoped).await;
        assert_eq!(read.body["contacts"].as_array().unwrap().len(), many, "{scope}");
        assert_eq!(read.header("x-truncated"), truncated, "{scope}");
    }
    let lists = [with_query("/tenants", "filter", &json!({ "include": ["contacts"] }))];
    for list in lists {
        let read = app.read(&list).await;
        fits(&read);
        assert_eq!((read.items().len(), read.header("x-truncated")), (1, "contacts"));
    }
    // Each contact includes its tenant with all its contacts, so the number is squared.
    let tenant = json!({ "relation": "tenant", "scope": { "include": ["contacts"] } });
    let squared = with(json!([{ "relation": "contacts", "scope": { "include": [tenant] } }]));
    let read = app.read(&squared).await;
    fits(&read);
    assert_eq!(read.header("x-truncated"), "contacts, contacts.tenant.contacts");
    assert!(!read.body["contacts"].as_array().unwrap().is_empty());
    let by_tenant = json!({ "where": { "tenantId": id }, "limit": 1000 });
    let by_tenant = with_query("/contacts", "filter", &by_tenant);
    each_once(&pages(&app, &app.operator, &by_tenant).await.0, 1502);
}
