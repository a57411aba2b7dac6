use serde_json::{Value, json};

use super::{IDS, ITEM, encode, filter, found, found_where, items};
use crate::Where;

#[test]
fn each_operator_finds_the_matching_items() {
    let id = IDS[1].to_uppercase();
    for (conditions, expected) in [
        ("{}", "abcde"),
        // Equality.
        (r#"{"size":1}"#, "a"),
        (r#"{"size":1.0}"#, "a"),
        (r#"{"size":1e1}"#, "c"),
        (r#"{"size":{"eq":-2.50}}"#, "d"),
        (r#"{"name":"acme"}"#, ""),
        (r#"{"name":"null"}"#, "e"),
        (r#"{"open":true}"#, "ac"),
        (r#"{"open":{"neq":true}}"#, "bd"),
        (r#"{"size":null}"#, "e"),
        (r#"{"meta":null}"#, "e"),
        (r#"{"size":{"eq":null}}"#, "e"),
        (r#"{"size":{"neq":null}}"#, "abcd"),
        (r#"{"size":{"neq":1}}"#, "bcd"),
        (&format!(r#"{{"id":"{id}"}}"#), "b"),
        // Arrays and objects are compared as a whole.
        (r#"{"tags":["x","y"]}"#, "b"),
        (r#"{"tags":["X","y"]}"#, ""),
        (r#"{"tags":[]}"#, "c"),
        (r#"{"tags":{"neq":["x"]}}"#, "bcd"),
        (r#"{"meta":{"eq":{"a":1.00,"b":[null,"c"]}}}"#, "ad"),
        (r#"{"meta":{"eq":{"a":1,"b":[null,"C"]}}}"#, ""),
        (r#"{"meta":{"neq":{}}}"#, "acd"),
        // Order.
        (r#"{"size":{"gt":1}}"#, "bc"),
        (r#"{"size":{"gte":1}}"#, "abc"),
        (r#"{"size":{"lt":1}}"#, "d"),
        (r#"{"size":{"lte":1}}"#, "ad"),
        (r#"{"size":{"between":[1,2]}}"#, "ab"),
        (r#"{"size":{"between":[2,1]}}"#, ""),
        (r#"{"size":{"gt":-1e999999999}}"#, "abcd"),
        (r#"{"size":{"gt":1,"lt":10}}"#, "b"),
        (r#"{"name":{"gte":"acme"}}"#, "bde"),
        (r#"{"name":{"lt":"B"}}"#, "ac"),
        (&format!(r#"{{"id":{{"gt":"{id}"}}}}"#), "cde"),
        // Amounts are exact to the last digit.
        (r#"{"price":12345678901234567.89}"#, "a"),
        (r#"{"price":"12345678901234567.89"}"#, "a"),
        (r#"{"price":{"gt":12345678901234567.89}}"#, "b"),
        (r#"{"price":{"gte":"12345678901234567.890"}}"#, "ab"),
        (r#"{"price":{"inq":[0.50,3.00]}}"#, "cd"),
        (r#"{"price":{"between":[0.5,12345678901234567.89]}}"#, "acd"),
        // Times are compared as points in time.
        (r#"{"createdOn":"2026-01-02T02:00:00+02:00"}"#, "b"),
        (r#"{"createdOn":"2026-01-02"}"#, "b"),
        (r#"{"createdOn":{"gt":"2026-01-03T12:00:00.122999Z"}}"#, "cd"),
        (r#"{"createdOn":{"lt":"2026-01-03T12:00:00.123001Z"}}"#, "abc"),
        (r#"{"createdOn":{"between":["2026-01-02","2026-01-04"]}}"#, "bcd"),
        // Lists of values.
        (r#"{"size":{"inq":[1,10]}}"#, "ac"),
        (r#"{"size":{"inq":[1,null]}}"#, "ae"),
        (r#"{"size":{"inq":[]}}"#, ""),
        (r#"{"size":{"nin":[1,10]}}"#, "bd"),
        (r#"{"size":{"nin":[1,null]}}"#, "bcd"),
        (r#"{"size":{"nin":[]}}"#, "abcd"),
        (r#"{"tags":{"inq":[["x"],[]]}}"#, "ac"),
        // Patterns.
        (r#"{"name":{"like":"acme%"}}"#, "b"),
        (r#"{"name":{"like":"acme"}}"#, ""),
        (r#"{"name":{"like":"_cme"}}"#, "a"),
        (r#"{"name":{"like":"%line%"}}"#, "cd"),
        (r#"{"name":{"like":"line%one"}}"#, "d"),
        (r#"{"name":{"like":"line_one"}}"#, "d"),
        (r#"{"name":{"like":"100\\% %\\_line"}}"#, "c"),
        (r#"{"name":{"like":"____ ltd"}}"#, "b"),
        (r#"{"name":{"like":"a.me%"}}"#, ""),
        (r#"{"name":{"nlike":"acme%"}}"#, "acde"),
        (r#"{"name":{"ilike":"ACME%"}}"#, "ab"),
        (r#"{"name":{"ilike":"%ün%"}}"#, "c"),
        (r#"{"name":{"nilike":"ACME%"}}"#, "cde"),
        (r#"{"id":{"like":"%b"}}"#, "b"),
        (r#"{"name":{"regexp":"^acme( ltd)?$"}}"#, "b"),
        (r#"{"name":{"regexp":"/^acme( ltd)?$/i"}}"#, "ab"),
        (r#"{"name":{"regexp":"/a|M/ig"}}"#, "ab"),
        (r#"{"name":{"regexp":"/^one$/"}}"#, ""),
        (r#"{"name":{"regexp":"/^one$/m"}}"#, "d"),
        (r#"{"name":{"regexp":"\\wnd"}}"#, "c"),
        (r#"{"name":{"regexp":"/% \\w+$/u"}}"#, "c"),
        // Presence.
        (r#"{"size":{"exists":true}}"#, "abcd"),
        (r#"{"size":{"exists":false}}"#, "e"),
        (r#"{"meta":{"exists":false}}"#, "e"),
        // Arrays.
        (r#"{"tags":{"contains":["x"]}}"#, "abd"),
        (r#"{"tags":{"contains":"x"}}"#, "abd"),
        (r#"{"tags":{"contains":["y","x"]}}"#, "bd"),
        (r#"{"tags":{"contains":["x","z"]}}"#, ""),
        (r#"{"tags":{"contains":"X"}}"#, ""),
        (r#"{"tags":{"contains":[]}}"#, "abcd"),
        // Case is ignored.
        (r#"{"email":"ADA@acme.test"}"#, "a"),
        (r#"{"email":{"like":"ada@%"}}"#, "a"),
        (r#"{"email":{"regexp":"^ada@"}}"#, "a"),
        (r#"{"email":{"regexp":"^ADA@"}}"#, "a"),
        (r#"{"email":{"inq":["ada@ACME.test"]}}"#, "a"),
        (r#"{"hosts":["ACME.test","a.acme.test"]}"#, "a"),
        (r#"{"hosts":{"contains":"ACME.test"}}"#, "a"),
        (r#"{"id":{"like":"%B"}}"#, "b"),
        // Nested `and` and `or`.
        (r#"{"size":1,"open":true}"#, "a"),
        (r#"{"size":1,"open":false}"#, ""),
        (r#"{"and":[{"open":true},{"size":{"gt":1}}]}"#, "c"),
        (r#"{"or":[{"size":1},{"size":2}]}"#, "ab"),
        (r#"{"or":[{"size":1},{"size":null}],"name":"Acme"}"#, "a"),
        (
            r#"{"or":[{"and":[{"open":false},{"or":[{"size":2},{"size":1}]}]},{"name":"null"}]}"#,
            "be",
        ),
        (r#"{"or":[{"size":1,"open":false},{"size":10}]}"#, "c"),
    ] {
        assert_eq!(found_where(conditions), expected, "{conditions}");
    }
}

#[test]
fn items_are_newest_first_by_default() {
    assert_eq!(found(""), "edcba");
    assert_eq!(found("limit=2"), "ed");
}

#[test]
fn counts_support_only_where() {
    let count = |query: &str| {
        let conditions = Where::from_query(query, &ITEM).unwrap();
        items().iter().filter(|item| conditions.matches(item)).count()
    };
    assert_eq!(count(""), 5);
    assert_eq!(count("where={}"), 5);
    assert_eq!(count("where[open]=true"), 2);
    assert_eq!(count(&format!("where={}", encode(r#"{"open":true}"#))), 2);
    assert!(Where::from_query("", &ITEM).unwrap().is_everything());
    assert!(!Where::from_query("where[open]=true", &ITEM).unwrap().is_everything());
}

#[test]
fn a_stored_value_of_another_type_is_neither_less_nor_greater() {
    let item = json!({ "size": "large" }).as_object().unwrap().clone();
    for operator in ["gt", "gte", "lt", "lte"] {
        let conditions = json!({ "where": { "size": { operator: 1 } } });
        assert!(!filter(&conditions).unwrap().conditions.matches(&item), "{operator}");
    }
}

#[test]
fn an_object_that_is_stored_as_text_is_compared_as_an_object() {
    let item = json!({ "meta": r#"{ "b": [1.0], "a": null }"# }).as_object().unwrap().clone();
    let matches = |meta: Value| {
        let conditions = json!({ "where": { "meta": { "eq": meta } } });
        filter(&conditions).unwrap().conditions.matches(&item)
    };
    assert!(matches(json!({ "a": null, "b": [1] })));
    assert!(!matches(json!({ "a": null, "b": [2] })));
}

#[test]
fn values_that_every_match_must_have_are_known() {
    for (conditions, property, equals, one_of) in [
        (json!({ "name": "Acme" }), "name", Some(json!("Acme")), Some(vec![json!("Acme")])),
        (json!({ "size": { "eq": 1 } }), "size", Some(json!(1)), Some(vec![json!(1)])),
        (
            json!({ "id": IDS[0].to_uppercase() }),
            "id",
            Some(json!(IDS[0])),
            Some(vec![json!(IDS[0])]),
        ),
        (
            json!({ "and": [{ "open": true }, { "size": 1 }] }),
            "size",
            Some(json!(1)),
            Some(vec![json!(1)]),
        ),
        (json!({ "name": { "inq": ["a"] } }), "name", Some(json!("a")), Some(vec![json!("a")])),
        (json!({ "size": { "inq": [2, 1, 2] } }), "size", None, Some(vec![json!(1), json!(2)])),
        (
            json!({ "size": { "inq": [1, 2] }, "and": [{ "size": 2 }] }),
            "size",
            Some(json!(2)),
            Some(vec![json!(2)]),
        ),
        (
            json!({ "and": [{ "size": { "inq": [1, 2] } }], "size": 2 }),
            "size",
            Some(json!(2)),
            Some(vec![json!(2)]),
        ),
        (
            json!({ "and": [{ "size": { "inq": [1, 2] } }], "size": { "inq": [3, 4] } }),
            "size",
            None,
            Some(vec![json!(1), json!(2)]),
        ),
        (json!({ "size": { "inq": [] } }), "size", None, Some(vec![])),
        (json!({ "name": { "inq": ["a"] } }), "size", None, None),
        (json!({ "size": { "inq": [1, null] } }), "size", None, None),
        (json!({ "email": "A@b" }), "email", Some(json!("a@b")), Some(vec![json!("a@b")])),
        (json!({ "name": null }), "name", None, None),
        (json!({ "name": "Acme" }), "size", None, None),
        (json!({ "or": [{ "name": "Acme" }] }), "name", None, None),
        (json!({ "name": { "neq": "Acme" } }), "name", None, None),
        (json!({ "name": { "gte": "a", "lte": "a" } }), "name", None, None),
    ] {
        let query = format!("where={}", encode(&conditions.to_string()));
        let read = Where::from_query(&query, &ITEM).unwrap();
        assert_eq!(read.equals(property), equals, "{conditions}");
        assert_eq!(read.one_of(property), one_of, "{conditions}");
    }
}

#[test]
fn a_single_equality_is_recognized() {
    for (conditions, is_one) in [
        (json!({ "size": 1 }), true),
        (json!({ "size": { "eq": 1 } }), true),
        (json!({}), false),
        (json!({ "size": { "gt": 1 } }), false),
        (json!({ "size": 1, "name": "Acme" }), false),
        (json!({ "and": [{ "size": 1 }] }), false),
    ] {
        let query = format!("where={}", encode(&conditions.to_string()));
        let read = Where::from_query(&query, &ITEM).unwrap();
        assert_eq!(read.is_one_equality(), is_one, "{conditions}");
    }
}

#[test]
fn times_at_the_end_of_the_calendar_and_hosts_in_either_form_are_read() {
    for last in ["9999-12-31", "9999-12-31T23:59:59-12:00", "9999-12-30T23:00:00Z"] {
        assert_eq!(
            found_where(&format!(r#"{{"createdOn":{{"lte":"{last}"}}}}"#)),
            "abcd",
            "{last}"
        );
        assert_eq!(found_where(&format!(r#"{{"createdOn":{{"gt":"{last}"}}}}"#)), "", "{last}");
    }
    for host in ["ACME.test", "ａcme.test"] {
        assert_eq!(found_where(&format!(r#"{{"hosts":{{"contains":"{host}"}}}}"#)), "a");
        assert_eq!(found_where(&format!(r#"{{"email":"ADA@{host}"}}"#)), "a");
    }
}
