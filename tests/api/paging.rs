use serde_json::{Value, json};
use support::{App, renumber, tenant, with_query};

/// Returns the creation time of tenant number `n`. Five tenants share each time.
pub(crate) fn created(n: usize) -> String {
    let (second, minute) = (n / 5 % 60, n / 300 % 60);
    format!("2026-01-01T{:02}:{minute:02}:{second:02}.000Z", n / 18_000 % 24)
}

/// Creates a tenant and imports `many` copies of it, which the counters do not include.
pub(crate) async fn with_tenants(app: &App, many: usize) {
    app.tenant("acme").await;
    let mut item = app.items_of("tenant").remove(0);
    let renamed = |n: usize| {
        renumber(&mut item, n, created(n));
        item["name"] = json!({ "S": format!("Name {}", n * 7919 % 101) });
        let status = [0, 1, 3][n % 3];
        item["status"] = json!({ "N": status.to_string() });
        item["gsi2pk"] = json!({ "S": format!("tenant-status#{status}") });
        item.clone()
    };
    app.import((0..many).map(renamed).collect());
}

/// Reads all pages from `first` on and returns their IDs. Calls `between` after each page.
async fn pages(
    app: &App,
    first: &str,
    limit: usize,
    mut between: impl AsyncFnMut(usize),
) -> Vec<Value> {
    let (mut ids, mut path, mut number) = (Vec::new(), Some(first.to_owned()), 0);
    while let Some(at) = path {
        let page = app.read(&at).await;
        assert!(page.items().len() <= limit, "{}", page.items().len());
        path = page.next_page();
        assert!(path.is_none() || page.items().len() == limit, "only the last page may be shorter");
        ids.extend(page.each("id"));
        number += 1;
        between(number).await;
    }
    ids
}

fn filters() -> Vec<Value> {
    vec![
        json!({ "limit": 37 }),
        json!({ "limit": 37, "order": "createdOn ASC" }),
        json!({ "limit": 30, "order": "createdOn DESC", "where": { "status": 1 } }),
        json!({ "limit": 5, "order": ["createdOn"],
            "where": { "status": 0, "name": { "like": "%1%" } } }),
        json!({ "limit": 37, "order": "name ASC" }),
        json!({ "limit": 37, "order": "name DESC" }),
        json!({ "limit": 41, "order": ["status DESC", "spocUserId", "name ASC"] }),
        json!({ "limit": 7, "order": "key DESC",
            "where": { "status": { "inq": [0, 3] }, "name": { "gt": "Name 5" } } }),
        json!({ "limit": 25, "skip": 30, "order": "createdOn ASC" }),
        json!({ "limit": 25, "offset": 30, "order": "name ASC", "fields": ["id"] }),
    ]
}

#[tokio::test]
async fn pages_contain_the_whole_list_in_order() {
    let app = App::start().await;
    with_tenants(&app, 250).await;
    for mut filter in filters() {
        let limit = usize::try_from(filter["limit"].as_u64().unwrap()).unwrap();
        let first = with_query("/tenants", "filter", &filter);
        let paged = pages(&app, &first, limit, async |_| {}).await;
        filter["limit"] = json!(1000);
        let whole = app.read(&with_query("/tenants", "filter", &filter)).await;
        assert_eq!(paged, whole.each("id"), "{filter}");
        assert_eq!(whole.next_page(), None);
        assert!(paged.len() > 2 * limit, "{filter}: {}", paged.len());
    }
}

#[tokio::test]
async fn tenants_created_or_deleted_between_pages_do_not_affect_the_others() {
    let app = App::start().await;
    with_tenants(&app, 250).await;
    for order in ["createdOn DESC", "createdOn ASC", "name ASC", "name DESC"] {
        let all = with_query("/tenants", "filter", &json!({ "order": order, "limit": 1000 }));
        let before = app.read(&all).await.each("id");
        // The last tenant of the second page, where the cursor points, and one of the fourth page.
        // They are pending, so that they can be deleted.
        let deleted = [&before[59], &before[100]];
        let mut pending = app.items_of("tenant");
        pending.retain(|item| deleted.contains(&&item["id"]["S"]));
        for item in &mut pending {
            item["status"] = json!({ "N": "1" });
            item["gsi2pk"] = json!({ "S": "tenant-status#1" });
        }
        app.import(pending);
        let first = with_query("/tenants", "filter", &json!({ "order": order, "limit": 30 }));
        let paged = pages(&app, &first, 30, async |page| {
            if page == 2 {
                for id in deleted {
                    let path = format!("/tenants/{}", id.as_str().unwrap());
                    app.client.delete(&app.operator, &path).await.expect(204);
                }
                for _ in 0..3 {
                    let key = format!("n{}", app.items_of("tenant-key").len());
                    app.tenant(&key).await;
                }
            }
        })
        .await;
        let mut unique = paged.clone();
        unique.sort_by_key(Value::to_string);
        unique.dedup();
        assert_eq!(unique.len(), paged.len(), "{order}: duplicates");
        let mut expected = before.clone();
        expected.remove(100);
        let old: Vec<_> = paged.into_iter().filter(|id| before.contains(id)).collect();
        assert_eq!(old, expected, "{order}: missing or deleted tenants");
    }
}

#[tokio::test]
async fn a_cursor_is_valid_only_for_its_own_list() {
    let app = App::start().await;
    with_tenants(&app, 20).await;
    for query in ["limit=2", "limit=2&filter[order]=name ASC", "filter[where][status]=1&limit=2"] {
        let next = app.read(&format!("/tenants?{query}")).await.next_page().unwrap();
        app.read(&next).await;
        let (before, cursor) = next.split_once("cursor=").unwrap();
        let (head, tail) = cursor.split_at(cursor.len() / 2);
        let other = if tail.starts_with('A') { "B" } else { "A" };
        for altered in [
            format!("/tenants?cursor={cursor}"),
            format!("/contacts?limit=2&cursor={cursor}"),
            format!("/tenants?limit=3&cursor={cursor}"),
            format!("/tenants?limit=2&filter[where][key]=k1&cursor={cursor}"),
            format!("/tenants?limit=2&filter[order]=name DESC&cursor={cursor}"),
            format!("{before}cursor={head}{other}{}", &tail[1..]),
            format!("{before}cursor={head}"),
            format!("{before}cursor={cursor}A"),
            format!("{before}cursor="),
            format!("{before}cursor=AAAA"),
            format!("{before}cursor=%F0%9F%98%80"),
        ] {
            let refused = app.client.get(&app.operator, &altered).await.expect(400);
            assert_eq!(refused.text("/error/code"), "INVALID_PARAMETER_VALUE");
            assert!(refused.text("/error/message").starts_with("cursor"), "{}", refused.body);
        }
        let twice = format!("{next}&cursor={cursor}");
        app.client.get(&app.operator, &twice).await.expect(400);
    }
}

#[tokio::test]
async fn the_next_link_works_for_any_filter() {
    let app = App::start().await;
    with_tenants(&app, 10).await;
    app.create("/tenants", &tenant("umlaut")).await;
    for name in ["Ä%_\"> <b>", "a&b=c+d", "日本 #1"] {
        let filter = json!({ "where": { "name": { "neq": name } }, "limit": 4 });
        let first = with_query("/tenants", "filter", &filter);
        assert_eq!(pages(&app, &first, 4, async |_| {}).await.len(), 12, "{name}");
    }
}
