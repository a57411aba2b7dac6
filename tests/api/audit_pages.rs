//! The cost of the console's pages of the audit log, which does not depend on the number of entries.

use serde_json::{Value, json};
use support::{App, with_query};

use crate::{audit::log, paging::created};

/// Creates a tenant, and imports `many` copies of the latest entry of its chain. Returns its ID.
async fn with_entries(app: &App, many: usize) -> String {
    let tenant = app.tenant("acme").await;
    app.settle().await;
    let latest = log(app).into_values().rfind(|item| item["entry"].is_object()).unwrap();
    let text: Value = serde_json::from_str(latest["entry"]["S"].as_str().unwrap()).unwrap();
    let copy = |n: usize| {
        // Numbers of five digits, so that all entries have one size.
        let (seq, time) = (10_000 + n, created(n));
        let place = json!({ "S": format!("{time}#tenant:{tenant}#{seq:012}") });
        let (mut item, mut entry) = (latest.clone(), text.clone());
        entry["seq"] = json!(seq);
        entry["time"] = json!(time);
        item["sk"] = json!({ "S": format!("{seq:012}") });
        item["seq"] = json!({ "N": seq.to_string() });
        item["entry"] = json!({ "S": entry.to_string() });
        item["gsi1sk"] = place.clone();
        item["gsi2sk"] = place;
        item
    };
    app.import((0..many).map(copy).collect());
    tenant
}

/// Reads a page of 20 entries. Returns the calls and units that it takes, and the path of the next one.
async fn cost(app: &App, path: &str) -> (String, String) {
    let (calls, units) = (app.table_calls(), app.table_cost());
    let page = app.read(path).await;
    let cost = format!("{}, {}", app.table_calls() - calls, app.table_cost() - units);
    assert_eq!(page.items().len(), 20, "{path}");
    (cost, page.next_page().unwrap())
}

#[tokio::test]
async fn pages_of_50_and_of_10_000_entries_cost_the_same() {
    let mut costs = Vec::new();
    for many in [50, 10_000] {
        let app = App::start_silent().await;
        let tenant = with_entries(&app, many).await;
        app.read("/audit?limit=1").await;
        app.local().calls().meter();
        let by = |conditions: Value| {
            with_query("/audit", "filter", &json!({ "where": conditions, "limit": 20 }))
        };
        let mut of_pages = Vec::new();
        for (page, path) in [
            ("Audit", by(json!({}))),
            ("Audit, of a tenant", by(json!({ "tenantId": tenant }))),
            ("Audit, of an actor", by(json!({ "actorId": "local-operator" }))),
            ("History", format!("/tenants/{tenant}/audit?limit=20")),
        ] {
            let (first, next) = cost(&app, &path).await;
            let (second, _) = cost(&app, &next).await;
            of_pages.push(format!("{page}: {first}; next page: {second}"));
        }
        costs.push(of_pages);
    }
    assert_eq!(costs[0], costs[1]);
    insta::assert_debug_snapshot!(costs[0], @r#"
    [
        "Audit: 1, R 3; next page: 1, R 3",
        "Audit, of a tenant: 1, R 6; next page: 1, R 6",
        "Audit, of an actor: 1, R 3; next page: 1, R 3",
        "History: 1, R 6; next page: 1, R 6",
    ]
    "#);
}
