//! Limits on the cost of a filter.

use std::time::Instant;

use serde_json::{Value, json};
use support::{App, contact, with_query};

use crate::{filters::RESPONSE_TIME, paging::with_tenants};

#[tokio::test]
async fn catastrophic_patterns_are_matched_quickly() {
    let app = App::start().await;
    let acme = app.tenant("acme").await;
    let mut body = contact(&acme);
    body["firstName"] = json!(format!("{}!", "a".repeat(99)));
    for _ in 0..30 {
        app.create("/contacts", &body).await;
    }
    let many = "%a".repeat(40);
    for test in [
        json!({ "regexp": "(a+)+$" }),
        json!({ "regexp": "^(a|a)*$" }),
        json!({ "regexp": "/^(([a-z])+.)+[A-Z]([0-9])+$/i" }),
        json!({ "regexp": "(.*)(.*)(.*)(.*)(.*)[^!]$" }),
        json!({ "like": format!("{many}b") }),
    ] {
        let started = Instant::now();
        let filter = json!({ "where": { "firstName": test, "email": "grace@acme.test" } });
        let found = app.read(&with_query("/contacts", "filter", &filter)).await;
        assert!(started.elapsed() < RESPONSE_TIME, "{test}: {:?}", started.elapsed());
        assert_eq!(found.body, json!([]), "{test}");
    }
}

#[tokio::test]
async fn a_query_string_that_is_too_long_is_refused_quickly() {
    let app = App::start().await;
    let count = async |bytes: usize| {
        let query = format!("where[key]={}", "x".repeat(bytes - "where[key]=".len()));
        let (host, token) = (app.client.host(), &app.operator);
        let head = format!(
            "GET /tenants/count?{query} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\r\n"
        );
        let started = Instant::now();
        let answer = app.client.raw(head.as_bytes()).await;
        assert!(started.elapsed() < RESPONSE_TIME);
        answer
    };
    assert_eq!(count(8192).await, (200, r#"{"count":0}"#.into()));
    let (status, body) = count(8193).await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["error"]["code"]), (400, &json!("INVALID_PARAMETER_VALUE")));
    let rule = "The query string must not be longer than 8192 bytes.";
    assert_eq!(body["error"]["message"], rule);
    let refused = r#"{"message":"Request Header Fields Too Large"}"#;
    assert_eq!(count(10_240).await, (431, refused.into()));
    for bytes in [60, 200, 1024] {
        assert_eq!(count(bytes * 1024).await.0, 431, "{bytes} KiB");
    }
    let keys: Vec<_> = (0..100).map(|n| format!("key-{n:050}")).collect();
    let large = with_query("/tenants/count", "where", &json!({ "key": { "inq": keys } }));
    assert_eq!(app.read(&large).await.body, json!({ "count": 0 }));
}

#[tokio::test]
async fn the_next_link_of_the_longest_query_works() {
    let app = App::start().await;
    for key in ["acme", "bolt"] {
        app.tenant(key).await;
    }
    let asked = "/tenants?filter[limit]=1&filter[where][name][neq]=";
    let path = format!("{asked}{}", "x".repeat(8192 + "/tenants?".len() - asked.len()));
    let first = app.read(&path).await;
    let next = app.read(&first.next_page().unwrap()).await;
    assert_eq!((next.items().len(), next.next_page()), (1, None));
    assert_ne!(first.body, next.body);
}

#[tokio::test]
async fn a_query_without_an_index_reads_at_most_10_000_items() {
    let app = App::start().await;
    with_tenants(&app, 9999).await;
    let by = |filter: Value| with_query("/tenants", "filter", &filter);
    let count = |conditions: Value| with_query("/tenants/count", "where", &conditions);
    let ordered = by(json!({ "order": "key DESC", "limit": 1, "where": { "name": "Name 7" } }));
    assert_eq!(app.read(&ordered).await.items().len(), 1, "exactly 10,000 items");

    app.tenant("onemore").await;
    for path in [
        ordered,
        by(json!({ "where": { "name": "nobody" } })),
        by(json!({ "skip": 4_294_967_295_u32 })),
        count(json!({ "name": { "like": "%1%" } })),
    ] {
        let refused = app.client.get(&app.operator, &path).await.expect(400);
        assert_eq!(refused.text("/error/code"), "FILTER_TOO_BROAD", "{path}");
        let message = refused.text("/error/message");
        assert!(message.contains("10,000 items") && message.contains("`where`"), "{message}");
    }
    for (conditions, rule) in [
        (json!({ "name": { "exists": true } }), "more than 10,000 items"),
        (json!({ "status": 0 }), "more than 1,000 entities"),
    ] {
        let bulk = with_query("/tenants", "where", &conditions);
        let refused = app.client.patch(&app.operator, &bulk, &json!({ "name": "x" })).await;
        let refused = refused.expect(400);
        assert_eq!(refused.text("/error/code"), "FILTER_TOO_BROAD");
        assert!(refused.text("/error/message").contains(rule), "{}", refused.body);
    }
    // Served by an index.
    let counted = app.read(&count(json!({ "status": 3, "name": { "like": "Name %" } }))).await;
    assert_eq!(counted.body, json!({ "count": 3333 }));
    assert_eq!(app.read(&by(json!({ "skip": 990, "limit": 5 }))).await.items().len(), 5);
    let ordered = by(json!({ "where": { "status": 0 }, "order": "name DESC", "limit": 3 }));
    assert_eq!(app.read(&ordered).await.each("name"), vec![json!("Name 99"); 3]);
}
