//! Order, paging, fields and inclusions.

use serde_json::{Value, json};

use super::{ITEM, PART, encode, filter, found, items};
use crate::{Direction, Filter, Order, with_cursor};

#[test]
fn items_are_sorted_as_requested() {
    for (order, expected) in [
        (json!("size"), "dabce"),
        (json!("size ASC"), "dabce"),
        (json!("size desc"), "ecbad"),
        (json!("price DESC"), "ebadc"),
        (json!("createdOn DESC"), "edcba"),
        (json!([]), "edcba"),
        (json!(["name"]), "cabde"),
        // `false` is less than `true`. Ties are sorted by ID in the direction of the last property.
        (json!("open"), "bdace"),
        (json!("open DESC"), "ecadb"),
        (json!(["open ASC", "size DESC"]), "bdcae"),
    ] {
        let filter = json!({ "order": order });
        assert_eq!(found(&format!("filter={}", encode(&filter.to_string()))), expected, "{order}");
    }
}

#[test]
fn the_items_after_one_are_the_rest_of_the_order() {
    for order in ["size", "open DESC", "createdOn DESC", "name"] {
        let filter = filter(&json!({ "order": order })).unwrap();
        let sorted = filter.select(items());
        for (place, last) in sorted.iter().enumerate() {
            let last = filter.order.sort_values(last);
            let after = sorted.iter().filter(|item| filter.order.is_after(*item, &last));
            assert!(after.eq(&sorted[place + 1..]), "{order}");
        }
    }
}

#[test]
fn limit_skip_and_offset_select_a_page() {
    for (query, expected) in [
        ("filter[limit]=2&filter[order]=id", "ab"),
        ("filter[limit]=2&filter[skip]=1&filter[order]=id", "bc"),
        ("filter[offset]=3&filter[order]=id", "de"),
        ("filter[skip]=4294967295", ""),
        ("filter[order]=id&limit=1", "a"),
    ] {
        assert_eq!(found(query), expected, "{query}");
    }
    assert_eq!(Filter::from_query("", &ITEM).unwrap().page_size(), 100);
    assert_eq!(Filter::from_query("limit=1000", &ITEM).unwrap().page_size(), 1000);
}

#[test]
fn a_cursor_replaces_skip() {
    let filter = Filter::from_query("limit=2&cursor=a%2Fb%3D&filter[skip]=3", &ITEM).unwrap();
    assert_eq!((filter.limit, filter.cursor.as_deref(), filter.skip), (Some(2), Some("a/b="), 0));
}

#[test]
fn the_query_of_the_next_page_differs_only_in_its_cursor() {
    for (query, next) in [
        ("", "cursor=a%2Bb"),
        ("limit=2", "limit=2&cursor=a%2Bb"),
        ("cursor=old&limit=2", "limit=2&cursor=a%2Bb"),
        ("%63ursor=old&filter%5Blimit%5D=2&", "filter%5Blimit%5D=2&cursor=a%2Bb"),
    ] {
        assert_eq!(with_cursor(query, "a+b"), next);
        let read = Filter::from_query(&with_cursor(query, "a+b"), &ITEM).unwrap();
        assert_eq!(read.cursor.as_deref(), Some("a+b"));
    }
}

#[test]
fn the_order_of_the_index_is_recognized() {
    let by_creation =
        |order: Value| filter(&json!({ "order": order })).unwrap().order.by_creation();
    assert_eq!(Order::newest_first().by_creation(), Some(Direction::Descending));
    assert_eq!(by_creation(json!("createdOn ASC")), Some(Direction::Ascending));
    assert_eq!(by_creation(json!(["createdOn DESC"])), Some(Direction::Descending));
    assert_eq!(by_creation(json!("name")), None);
    assert_eq!(by_creation(json!(["createdOn", "name"])), None);
}

#[test]
fn fields_select_properties() {
    let all =
        ["createdOn", "email", "hosts", "id", "meta", "name", "open", "price", "size", "tags"];
    let but_size = all.into_iter().filter(|name| *name != "size").collect::<Vec<_>>();
    for (fields, expected) in [
        (json!(["id", "name"]), vec!["id", "name"]),
        (json!({ "id": true, "name": true }), vec!["id", "name"]),
        (json!({ "id": true, "name": false }), vec!["id"]),
        (json!({ "size": false }), but_size),
        (json!([]), all.to_vec()),
        (json!({}), all.to_vec()),
    ] {
        let filter = filter(&json!({ "fields": fields, "order": "id" })).unwrap();
        let mut first = filter.select(items()).swap_remove(0);
        filter.fields.apply(&mut first);
        let mut names: Vec<_> = first.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, expected, "{fields}");
    }
}

#[test]
fn fields_do_not_affect_inclusions() {
    let filter = filter(&json!({ "fields": ["id"] })).unwrap();
    let item = json!({ "id": 1, "name": "x", "parts": [] });
    let mut item = item.as_object().unwrap().clone();
    filter.fields.apply(&mut item);
    assert_eq!(Value::from(item), json!({ "id": 1, "parts": [] }));
}

#[test]
fn inclusions_are_names_or_objects_with_a_scope() {
    let included = |include: Value| filter(&json!({ "include": include })).unwrap().include;
    let names = |include| included(include).iter().map(|one| one.relation).collect::<Vec<_>>();
    assert_eq!(names(json!(["parts", "owner"])), ["parts", "owner"]);
    assert_eq!(names(json!("parts")), ["parts"]);
    assert_eq!(names(json!([{ "relation": "parts" }])), ["parts"]);
    assert_eq!(names(json!([])), [""; 0]);

    let scope = json!({ "where": { "weight": { "gt": 1 } }, "limit": 1, "order": "weight DESC",
                        "include": [{ "relation": "item", "scope": { "include": ["owner"] } }] });
    let include = included(json!([{ "relation": "parts", "scope": scope }])).swap_remove(0);
    assert!(include.many);
    let scope = include.scope.unwrap();
    let parts = [json!({ "weight": 1 }), json!({ "weight": 2 }), json!({ "weight": 3 })];
    let parts = parts.map(|part| part.as_object().unwrap().clone());
    assert_eq!(json!(scope.select(Vec::from(parts))), json!([{ "weight": 3 }]));
    assert_eq!(scope.include[0].scope.as_ref().unwrap().include[0].relation, "owner");
}

#[test]
fn a_plain_filter_neither_selects_fields_nor_includes() {
    for (given, is_plain) in [
        (json!({}), true),
        (json!({ "where": { "size": 1 }, "limit": 2, "order": "name", "fields": [] }), true),
        (json!({ "fields": ["id"] }), false),
        (json!({ "include": ["parts"] }), false),
        (json!({ "fields": ["id"], "include": ["parts"] }), false),
    ] {
        assert_eq!(filter(&given).unwrap().is_plain(), is_plain, "{given}");
    }
}

#[test]
fn the_permissions_of_inclusions_are_those_of_every_depth() {
    let views = |include: Value| {
        filter(&json!({ "include": include })).unwrap().views().collect::<Vec<_>>()
    };
    assert_eq!(views(json!([])), [[0_u16; 0]; 0]);
    // Items need no permission.
    assert_eq!(views(json!(["owner"])), [[0_u16; 0]; 0]);
    assert_eq!(views(json!(["parts", "owner"])), [PART.view]);
    let deep = json!([{ "relation": "owner", "scope": { "include": ["parts"] } }]);
    assert_eq!(views(deep), [PART.view]);
}

#[test]
fn single_entities_support_fields_and_inclusions() {
    let filter =
        Filter::from_entity_query("filter[include][]=parts&filter[fields][]=id", &ITEM).unwrap();
    assert_eq!(filter.include[0].relation, "parts");
    assert_eq!(Filter::from_entity_query("", &ITEM).unwrap(), Filter::default());
}
