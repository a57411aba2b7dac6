//! Tests with very large tables. nextest starts them first, one at a time.

use serde_json::json;
use support::{App, with_query};

use crate::paging::with_tenants;

/// Reads a page of 20. Returns the number of calls and the path of the next page.
async fn page(app: &App, path: &str) -> (usize, Option<String>) {
    let before = app.table_calls();
    let read = app.read(path).await;
    assert_eq!(read.items().len(), 20);
    (app.table_calls() - before, read.next_page())
}

#[tokio::test]
async fn every_page_of_50_000_tenants_takes_one_call() {
    let app = App::start_silent().await;
    app.warm().await;
    with_tenants(&app, 49_999).await;
    for (filter, pages) in [
        (json!({ "limit": 20 }), 2000),
        (json!({ "limit": 20, "order": "createdOn ASC", "where": { "status": 1 } }), 500),
    ] {
        let mut path = with_query("/tenants", "filter", &filter);
        for number in 1..=pages {
            let (calls, next) = page(&app, &path).await;
            assert_eq!(calls, 1, "page {number} of {filter}");
            path = next.unwrap();
        }
    }
}
