//! JSON and bracket notation are equivalent.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{IDS, ITEM, encode, filter};
use crate::{Filter, Where};

/// Writes `filter` in bracket notation, as clients with the `qs` package do.
pub(super) fn in_brackets(filter: &Value) -> String {
    fn add(name: &str, value: &Value, pairs: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (step, value) in members {
                    add(&format!("{name}[{step}]"), value, pairs);
                }
            }
            Value::Array(items) => {
                for (step, value) in items.iter().enumerate() {
                    add(&format!("{name}[{step}]"), value, pairs);
                }
            }
            Value::String(text) => pairs.push(format!("{}={}", encode(name), encode(text))),
            other => pairs.push(format!("{}={other}", encode(name))),
        }
    }
    let mut pairs = Vec::new();
    add("filter", filter, &mut pairs);
    pairs.join("&")
}

#[test]
fn json_and_brackets_are_equivalent() {
    for written in [
        json!({ "where": { "size": 1 } }),
        json!({ "where": { "name": "1", "size": null, "open": false, "price": 0.5 } }),
        json!({ "where": { "id": IDS[0], "createdOn": { "lt": "2026-01-01T00:00:00+01:00" } } }),
        json!({ "where": { "size": { "inq": [3, 1, null, 2] }, "tags": ["x", "1"] } }),
        json!({ "where": { "or": [{ "size": 1 }, { "and": [{ "open": true }, { "name": { "like": "a%" } }] }] } }),
        json!({ "where": { "meta": { "eq": { "a": { "b": "c" } } }, "tags": { "contains": ["x"] } } }),
        json!({ "where": { "size": { "between": [1, 2], "exists": true } } }),
        json!({ "order": ["name ASC", "size DESC"], "limit": 10, "skip": 3 }),
        json!({ "order": "name", "fields": { "id": true, "size": false } }),
        json!({ "fields": ["id", "name"] }),
        json!({ "include": ["parts", { "relation": "owner", "scope": { "where": { "size": 1 } } }] }),
    ] {
        let brackets = in_brackets(&written);
        let read =
            Filter::from_query(&brackets, &ITEM).unwrap_or_else(|e| panic!("{brackets}: {e}"));
        assert_eq!(read, filter(&written).unwrap(), "{brackets}");
    }
    let like =
        |pattern: &str| filter(&json!({ "where": { "name": { "like": pattern } } })).unwrap();
    assert_ne!(like("a%"), like("b%"), "patterns are compared");
}

#[test]
fn brackets_have_several_spellings() {
    let read = |query: &str| Filter::from_query(query, &ITEM).unwrap();
    let same = [
        "filter[where][size][inq][0]=1&filter[where][size][inq][1]=2",
        "filter[where][size][inq][]=1&filter[where][size][inq][]=2",
        "filter[where][size][inq][7]=2&filter[where][size][inq][3]=1",
        "filter[where][size][inq][4294967294]=2&filter[where][size][inq][3]=1",
        "filter%5Bwhere%5D%5Bsize%5D%5Binq%5D%5B%5D=1&&filter[where][size][inq][]=%32",
    ];
    for query in same {
        assert_eq!(read(query), read(same[0]), "{query}");
    }
    let spaced = read("filter[order]=name+DESC");
    assert_eq!(spaced, read("filter[order]=name%20DESC"));
    // A `%` that is not part of an encoding is kept.
    assert_eq!(read("filter[where][name][like]=ac%"), read("filter[where][name][like]=ac%25"),);
}

/// As the `qs` package of LoopBack reads them.
#[test]
fn repeated_names_are_an_array() {
    let read = |query: &str| Filter::from_query(query, &ITEM).unwrap();
    let sizes = r#"filter={"where":{"size":{"inq":[1,2,3]}}}"#;
    for query in [
        "filter[where][size][inq]=1&filter[where][size][inq]=2&filter[where][size][inq]=3",
        "filter[where][size][inq][]=1&filter[where][size][inq]=2&filter[where][size][inq][]=3",
        "filter[where][size][inq]=1&filter[where][size][inq][]=2&filter[where][size][inq]=3",
        "filter[where][size][inq][0]=1&filter[where][size][inq]=2&filter[where][size][inq]=3",
    ] {
        assert_eq!(read(query), read(sizes), "{query}");
    }
    for (query, same) in [
        ("filter[order]=name&filter[order]=size", r#"filter={"order":["name","size"]}"#),
        ("filter[fields]=id&filter[fields]=name", r#"filter={"fields":["id","name"]}"#),
        ("filter[fields]=id", r#"filter={"fields":["id"]}"#),
        ("filter[include]=parts&filter[include]=owner", r#"filter={"include":["parts","owner"]}"#),
        ("filter[where][tags]=x&filter[where][tags]=y", r#"filter={"where":{"tags":["x","y"]}}"#),
        ("filter[where][size][inq]=1", r#"filter={"where":{"size":{"inq":[1]}}}"#),
        ("filter[where][name][nin]=a", r#"filter={"where":{"name":{"nin":["a"]}}}"#),
        (
            "filter[where][size][between]=1&filter[where][size][between]=2",
            r#"filter={"where":{"size":{"between":[1,2]}}}"#,
        ),
    ] {
        assert_eq!(read(query), read(same), "{query}");
    }
}

#[test]
fn conditions_that_are_empty_are_ignored() {
    let read = |text: &str| Where::from_query(&format!("where={}", encode(text)), &ITEM).unwrap();
    for empty in [
        "{}",
        " ",
        "",
        r#"{"and":[]}"#,
        r#"{"or":[]}"#,
        r#"{"and":[{}]}"#,
        r#"{"or":[{},{}]}"#,
        r#"{"and":[{"or":[]},{"and":[{}]}],"or":[]}"#,
    ] {
        assert!(read(empty).is_everything(), "{empty}");
    }
    for one in [r#"{"size":1,"and":[]}"#, r#"{"or":[],"size":1}"#] {
        assert_eq!(read(one), read(r#"{"size":1}"#), "{one}");
    }
    assert_eq!(read(r#"{"or":[{},{"size":1},{"and":[]}]}"#), read(r#"{"or":[{"size":1}]}"#));
    let scoped = |scope: &str| {
        let filter = format!(r#"{{"include":[{{"relation":"parts","scope":{scope}}}]}}"#);
        Filter::from_query(&format!("filter={}", encode(&filter)), &ITEM).unwrap()
    };
    assert_eq!(scoped(r#"{"where":{"and":[]}}"#), scoped("{}"));
}

#[test]
fn reads_ignore_other_parameters() {
    let none = Filter::default();
    for query in [
        "filter=",
        "filter",
        "_=1",
        "filtre={}",
        "where={}",
        "=1",
        "%FF=%FF",
        "a[b][=1",
        "tenantFilter=x&a=1&a=2",
    ] {
        assert_eq!(Filter::from_query(query, &ITEM).unwrap(), none, "{query}");
        assert_eq!(Filter::from_entity_query(query, &ITEM).unwrap(), none, "{query}");
    }
    assert_eq!(Filter::from_entity_query("limit=1&cursor=x", &ITEM).unwrap(), none);
    for query in ["where=", "where", "filter={\"where\":{\"size\":1}}", "_=1"] {
        assert!(Where::from_query(query, &ITEM).unwrap().is_everything(), "{query}");
    }
}

#[test]
fn null_in_brackets_is_null_and_in_json_it_may_be_text() {
    let read = |query: &str| Where::from_query(query, &ITEM).unwrap();
    let in_json = |text: &str| read(&format!("where={}", encode(text)));
    assert_eq!(read("where[name]=null"), in_json(r#"{"name":null}"#));
    assert_ne!(read("where[name]=null"), in_json(r#"{"name":"null"}"#));
    assert_eq!(read("where[name]="), in_json(r#"{"name":""}"#));
    assert_eq!(read("where[name][like]=null"), in_json(r#"{"name":{"like":"null"}}"#));
}

proptest! {
    #[test]
    fn no_query_causes_a_panic(query in "\\PC*") {
        let _ = Filter::from_query(&query, &ITEM);
        let _ = Where::from_query(&query, &ITEM);
    }

    #[test]
    fn no_filter_causes_a_panic(text in "[{}\\[\\]\",:a-z0-9e.+\\- ]*", value in ".*") {
        let _ = Filter::from_query(&format!("filter={}", encode(&text)), &ITEM);
        let _ = Filter::from_query(&format!("filter[where]{text}={value}"), &ITEM);
        for member in ["name", "price", "createdOn", "id", "tags"] {
            for operator in ["eq", "like", "regexp", "inq", "gt"] {
                let conditions = json!({ "where": { member: { operator: &value } } });
                let _ = filter(&conditions);
                let _ = Filter::from_query(&in_brackets(&conditions), &ITEM);
            }
        }
    }
}
