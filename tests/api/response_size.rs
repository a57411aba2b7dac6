//! Size limits of responses: pages end before a response gets too large for Lambda.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::{App, Reply, config, long_domains, renumber, sibling, with_query};

use crate::{lead_data::Party, paging::created};

/// Lambda's limit for a response, in bytes.
const LAMBDA_LIMIT: usize = 6_291_556;

/// Maximum size of a page, in bytes.
const PAGE: usize = 4_000_000;

/// Panics if Lambda would refuse this response.
#[track_caller]
pub(crate) fn fits(reply: &Reply) {
    let escaped = serde_json::to_string(&reply.raw).unwrap().len();
    assert!(escaped < LAMBDA_LIMIT - 100_000, "{escaped} bytes");
    let many = reply.body.as_array().map_or(1, Vec::len);
    assert!(many == 1 || escaped <= PAGE + 10, "{escaped} bytes of {many}");
}

/// Reads all pages from `first` on. Returns their items and the number of pages.
pub(crate) async fn pages(app: &App, token: &str, first: &str) -> (Vec<Value>, usize) {
    let (mut items, mut path, mut number) = (Vec::new(), Some(first.to_owned()), 0);
    while let Some(at) = path {
        let page = app.client.get(token, &at).await.expect(200);
        fits(&page);
        path = page.next_page();
        assert!(path.is_none() || !page.items().is_empty(), "an empty page has a next page");
        items.extend_from_slice(page.items());
        number += 1;
    }
    (items, number)
}

#[track_caller]
pub(crate) fn each_once(items: &[Value], many: usize) {
    let ids: BTreeSet<_> = items.iter().map(|item| item["id"].to_string()).collect();
    assert_eq!((items.len(), ids.len()), (many, many));
}

/// Returns a value of about 90 KB of JSON, whose size doubles when Lambda escapes it.
fn large_value() -> Value {
    json!({ "S": json!({ "text": "\\".repeat(45_000) }).to_string() })
}

/// Adds `many` large configurations beside that of `party`.
async fn with_configs(app: &App, party: &Party, many: usize) {
    app.settle().await;
    let mut item = app.items_of("config").remove(0);
    assert_eq!(item["tenantId"]["S"], party.tenant);
    item["configValue"] = large_value();
    let siblings = (0..many).flat_map(|n| {
        let [mut config, owner] = sibling(&item, &created(n));
        config["configKey"] = json!({ "S": format!("key-{}", n * 7919 % 101) });
        [config, owner]
    });
    app.import(siblings.collect());
}

#[tokio::test]
async fn pages_are_limited_in_bytes_for_every_query() {
    let app = App::start_silent().await;
    let bob = Party::new(&app, "bob").await;
    with_configs(&app, &bob, 40).await;
    let by = |filter: Value| with_query("/tenant-configs", "filter", &filter);
    let (all, _) = pages(&app, &app.operator, "/tenant-configs?limit=10").await;
    each_once(&all, 41);
    let newest: Vec<_> = all.iter().map(|item| item["id"].clone()).collect();
    for (token, first) in [
        (&app.operator, by(json!({ "limit": 1000, "where": { "configKey": { "exists": true } } }))),
        (&app.operator, by(json!({ "where": { "tenantId": bob.tenant } }))),
        (&app.operator, by(json!({ "where": { "id": { "inq": newest } }, "limit": 1000 }))),
        (&bob.token, by(json!({ "include": ["tenant"] }))),
    ] {
        let (items, number) = pages(&app, token, &first).await;
        let ids: Vec<_> = items.iter().map(|item| item["id"].clone()).collect();
        assert_eq!(ids, newest, "{first}");
        assert!((2..5).contains(&number), "{first}: {number} pages");
    }
    for (order, conditions) in [
        ("configKey DESC", json!({})),
        ("configKey ASC", json!({ "tenantId": bob.tenant })),
        ("createdOn ASC", json!({})),
    ] {
        let first = by(json!({ "order": order, "where": conditions }));
        let (items, number) = pages(&app, &app.operator, &first).await;
        each_once(&items, 41);
        assert!(number > 1, "{first}");
        let (name, direction) = order.split_once(' ').unwrap();
        let keys: Vec<_> = items.iter().map(|item| item[name].as_str().unwrap()).collect();
        let up = direction == "ASC";
        assert!(if up { keys.is_sorted() } else { keys.iter().rev().is_sorted() }, "{order}");
    }
    let cut = app.read(&by(json!({ "fields": ["id"] }))).await;
    assert_eq!((cut.items().len(), cut.next_page()), (41, None), "omitted fields do not count");
    let skipped = pages(&app, &app.operator, &by(json!({ "skip": 5 }))).await.0;
    each_once(&skipped, 36);
}

#[tokio::test]
async fn tenants_with_the_maximum_of_domains_are_paged_by_bytes() {
    let app = App::start_silent().await;
    let lead = app.verified_lead("ada@acme.test").await;
    let body = json!({ "key": "acme", "domains": ["acme.test"] });
    app.client.post(&lead.token, &format!("/leads/{}/tenants", lead.id), &body).await.expect(200);
    app.settle().await;
    let mut item = app.items_of("tenant").remove(0);
    item["domains"] = long_domains(50);
    app.import(
        (0..400)
            .map(|n| {
                renumber(&mut item, n, created(n));
                item.clone()
            })
            .collect(),
    );
    for filter in [
        json!({ "limit": 1000 }),
        json!({ "limit": 1000, "where": { "status": 1 } }),
        json!({ "limit": 1000, "order": "key ASC" }),
        json!({ "limit": 1000, "include": ["lead", "address"] }),
        json!({ "limit": 1000, "include": [{ "relation": "lead", "scope": { "include": ["tenant"] } }] }),
    ] {
        let first = with_query("/tenants", "filter", &filter);
        let (items, number) = pages(&app, &app.operator, &first).await;
        each_once(&items, 401);
        assert!(number > 1, "{filter}");
        let of_lead = |item: &Value| item["lead"]["id"] == json!(lead.id);
        assert!(filter.get("include").is_none() || items.iter().all(of_lead), "{filter}");
    }
}

/// Sorting in memory is limited, counting and paging are not.
#[tokio::test]
async fn a_sorted_query_over_too_much_data_is_refused_but_can_be_counted_and_paged() {
    let app = App::start_silent().await;
    let bob = Party::new(&app, "bob").await;
    app.settle().await;
    let mut item = app.items_of("config").remove(0);
    item["configValue"] = json!({ "S": json!({ "x": "y".repeat(380_000) }).to_string() });
    let siblings = (0..65).flat_map(|n| sibling(&item, &created(n)));
    app.import(siblings.collect());
    let by = |filter: Value| with_query("/tenant-configs", "filter", &filter);
    for first in [
        by(json!({ "order": "configKey ASC" })),
        by(json!({ "order": "configKey ASC", "where": { "tenantId": bob.tenant } })),
    ] {
        let refused = app.client.get(&app.operator, &first).await.expect(400);
        assert_eq!(refused.text("/error/code"), "FILTER_TOO_BROAD", "{first}");
    }
    let conditions = json!({ "configKey": { "exists": true } });
    let count = with_query("/tenant-configs/count", "where", &conditions);
    assert_eq!(app.read(&count).await.body, json!({ "count": 66 }));
    let page = app.read("/tenant-configs?limit=1000").await;
    fits(&page);
    assert!(page.next_page().is_some());
    let narrowed = json!({ "tenantId": bob.tenant, "createdOn": { "lt": created(20) } });
    let page = app.read(&by(json!({ "order": "configKey ASC", "where": narrowed }))).await;
    fits(&page);
}

#[tokio::test]
async fn jobs_and_resources_are_paged_by_number_and_by_bytes() {
    let app = App::start().await;
    let (id, job) = app.provisioning("acme", "PREMIUM").await;
    app.wait_for_status(&id.to_string(), 0).await;
    app.settle().await;
    let known = app.read(&format!("/tenants/{id}/resources")).await.items().len();
    let mut template = app.items_of("job").remove(0);
    let plan = json!({ "id": "sub-1", "plan": { "tier": "PREMIUM", "text": "\"".repeat(30_000) } });
    template["subscription"] = json!({ "S": plan.to_string() });
    let job_of = |n: u32| {
        let mut item = template.clone();
        item["sk"] = json!({ "S": format!("JOB#{n:06}") });
        item["attempt"] = json!({ "N": n.to_string() });
        item["id"] = json!({ "S": domain::JobId::generate().to_string() });
        item
    };
    app.import((2..47).map(job_of).collect());
    let mut resource = app.items_of("resource").remove(0);
    resource["externalIdentifier"] = json!({ "S": "\\".repeat(2000) });
    app.import((0..600).map(|n| sibling(&resource, &created(n))[0].clone()).collect());

    for (noun, many) in [("jobs", 46), ("resources", 600 + known)] {
        let path = format!("/tenants/{id}/{noun}");
        for limit in ["?limit=1000", "?limit=40", ""] {
            let (items, number) = pages(&app, &app.operator, &format!("{path}{limit}")).await;
            each_once(&items, many);
            assert!(number > 1, "{path}{limit}");
            let order: Vec<_> = items.iter().map(|item| item["attempt"].as_u64()).collect();
            assert!(order.iter().rev().is_sorted(), "newest first");
        }
        let first = app.read(&format!("{path}?limit=2")).await;
        assert_eq!(first.items().len(), 2);
        let next = first.next_page().unwrap();
        let other = next.replace("limit=2", "limit=3");
        for bad in [other, format!("{path}?limit=0")] {
            let refused = app.client.get(&app.operator, &bad).await.expect(400);
            assert_eq!(refused.text("/error/code"), "INVALID_PARAMETER_VALUE", "{bad}");
        }
    }
    assert_eq!(app.job(id, job).await["attempt"], 1, "the oldest job");
    let nobody = domain::TenantId::generate();
    for noun in ["jobs", "resources"] {
        let path = format!("/tenants/{nobody}/{noun}");
        app.client.get(&app.operator, &path).await.expect(404);
    }
}

#[tokio::test]
async fn the_number_of_calls_per_page_is_limited() {
    let app = App::start_silent().await;
    app.tenant("acme").await;
    app.settle().await;
    let mut item = app.items_of("tenant").remove(0);
    let renamed = |n: usize| {
        renumber(&mut item, n, created(n));
        item.clone()
    };
    let tenants: Vec<_> = (0..300).map(renamed).collect();
    let ids: Vec<_> = tenants.iter().map(|tenant| tenant["id"]["S"].clone()).collect();
    app.import(tenants);
    app.warm().await;
    let including = json!({ "limit": 1000, "include": ["contacts", "resources"] });
    for (path, most) in [
        (with_query("/tenants", "filter", &including), 300),
        (by_tenants("/contacts", &ids[..150]), 10),
        (by_tenants("/invoices", &ids[..50]), 110),
    ] {
        let before = app.table_calls();
        let page = app.read(&path).await;
        let calls = app.table_calls() - before;
        assert!(calls <= most, "{calls} calls, {}", page.items().len());
    }
    let first = with_query("/tenants", "filter", &including);
    each_once(&pages(&app, &app.operator, &first).await.0, 301);
    let own = config(ids[0].as_str().unwrap(), "theme");
    app.create("/tenant-configs", &own).await;
    for many in [1, 50, 150] {
        let found = app.read(&by_tenants("/tenant-configs", &ids[..many])).await;
        assert_eq!(found.each("tenantId"), [ids[0].clone()], "{many}");
    }
}

fn by_tenants(list: &str, ids: &[Value]) -> String {
    let conditions = json!({ "tenantId": { "inq": ids } });
    with_query(list, "filter", &json!({ "where": conditions, "limit": 1000 }))
}

/// Returns `many` copies of a subscription.
fn subscriptions(item: &Value, many: usize) -> Vec<Value> {
    (0..many).flat_map(|n| sibling(item, &created(n))).collect()
}

/// These lists have no number of items per page.
#[tokio::test]
async fn ending_subscriptions_are_paged_by_bytes() {
    let app = App::start().await;
    let (tenant, plan) = (app.tenant_in_use("acme").await, app.active_plan(&json!({})).await);
    let id = app.subscribe(&tenant, &plan).await.expect(200).text("/id");
    let body = json!({ "autoRenew": false, "metaData": { "text": "\\".repeat(8_000) } });
    let path = format!("/subscriptions/{id}");
    app.client.patch(&app.operator, &path, &body).await.expect(204);
    app.settle().await;
    let mut stored = app.items_of("subscription").remove(0);
    let timer = app.items_of("timer").into_iter().find(|timer| timer["endsOn"].is_object());
    let timer = timer.unwrap().to_string();
    let mut copies = subscriptions(&stored, 150);
    let ids: Vec<_> = copies.iter().filter_map(|item| item["id"]["S"].as_str()).collect();
    let timer_of = |copy: &&str| serde_json::from_str::<Value>(&timer.replace(&id, copy)).unwrap();
    let timers: Vec<_> = ids.iter().map(timer_of).collect();
    copies.extend(timers);
    app.import(copies);
    let (items, number) = pages(&app, &app.operator, "/subscriptions/expire-soon?days=366").await;
    each_once(&items, 151);
    assert!(number > 1, "{number}");

    for (member, value) in [
        ("phase", json!({ "S": "expired" })),
        ("gsi2pk", json!({ "S": "subscription-status#4" })),
        ("endedOn", json!({ "S": lambda::now().to_string() })),
    ] {
        stored[member] = value;
    }
    app.import(subscriptions(&stored, 150));
    let (items, number) = pages(&app, &app.operator, "/subscriptions/expired").await;
    each_once(&items, 150);
    assert!(number > 1, "{number}");
}
