//! Filters beyond the limits are refused, and filters within them are fast.

use std::time::Instant;

use serde_json::{Map, Value, json};

use super::{ITEM, encode, filter, items};
use crate::Filter;

fn refusal(query: &str) -> String {
    Filter::from_query(query, &ITEM).unwrap_err().to_string()
}

/// Returns conditions with this nesting `depth`, in JSON.
fn nested(depth: usize) -> String {
    format!(r#"{{"where":{}{{"size":1}}{}}}"#, r#"{"or":["#.repeat(depth), "]}".repeat(depth))
}

#[test]
fn nesting_is_limited() {
    let json = |depth| format!("filter={}", encode(&nested(depth)));
    assert!(Filter::from_query(&json(15), &ITEM).is_ok());
    for depth in [16, 1000, 4000] {
        let message = refusal(&json(depth));
        assert!(message.ends_with("is nested deeper than 32 levels"), "{message}");
        assert!(message.len() < 300, "{message}");
    }
    let brackets = |depth| format!("filter[where]{}[size]=1", "[or][0]".repeat(depth));
    assert!(Filter::from_query(&brackets(15), &ITEM).is_ok());
    for depth in [16, 500, 1000, 10_000] {
        assert_eq!(refusal(&brackets(depth)), "filter: is nested deeper than 32 levels");
    }
    assert_eq!(
        refusal(&format!("filter={}", "[".repeat(100_000)))[..27],
        *"filter: is not valid JSON: "
    );
}

#[test]
fn inclusions_are_limited() {
    let deeper = |include: Value| json!([{ "relation": "owner", "scope": { "include": include } }]);
    let three = deeper(deeper(json!(["owner"])));
    assert!(filter(&json!({ "include": three })).is_ok());
    let message = filter(&json!({ "include": deeper(three) })).unwrap_err().to_string();
    assert!(message.ends_with("nests inclusions more than 3 levels deep"), "{message}");
}

#[test]
fn conditions_are_limited() {
    let several = |count| json!({ "where": { "or": vec![json!({ "size": 1 }); count] } });
    assert!(filter(&several(1000)).is_ok());
    let message = "filter.where.or.1000.size: a filter must not have more than 1000 conditions";
    assert_eq!(filter(&several(1001)).unwrap_err().to_string(), message);

    let patterns =
        |count| json!({ "where": { "or": vec![json!({ "name": { "like": "a" } }); count] } });
    assert!(filter(&patterns(10)).is_ok());
    assert!(filter(&json!({ "where": { "name": { "regexp": "a".repeat(1000) } } })).is_ok());
    let message = "filter.where.or.10.name.like: a filter must not have more than 10 patterns";
    assert_eq!(filter(&patterns(11)).unwrap_err().to_string(), message);
}

#[test]
fn values_are_limited() {
    let several = |count| json!({ "where": { "size": { "inq": vec![1; count] } } });
    assert!(filter(&several(1000)).is_ok());
    let message = "filter.where.size.inq: must NOT have more than 1000 items";
    assert_eq!(filter(&several(10_000)).unwrap_err().to_string(), message);
    let contains = |count| json!({ "where": { "tags": { "contains": vec!["x"; count] } } });
    assert!(filter(&contains(1000)).is_ok());
    let message = "filter.where.tags.contains: must NOT have more than 1000 items";
    assert_eq!(filter(&contains(1001)).unwrap_err().to_string(), message);
}

/// Prints how long it takes to parse `query` and to evaluate it over 1,000 items.
fn time(what: &str, query: &str) {
    let started = Instant::now();
    let filter = Filter::from_query(query, &ITEM);
    let (read, length) = (started.elapsed(), query.len());
    let filter = match filter {
        Ok(filter) => filter,
        Err(error) => return eprintln!("{what}: {length} bytes refused in {read:?}: {error}"),
    };
    let items: Vec<Map<String, Value>> = (0..1000).map(item).collect();
    let started = Instant::now();
    let found = filter.select(items).len();
    let evaluated = started.elapsed();
    eprintln!("{what}: {length} bytes read in {read:?}, {found} found in {evaluated:?}");
}

/// Returns an item with a unique name of 100 letters, each `a` or `b`.
fn item(number: u64) -> Map<String, Value> {
    let bits = u128::from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).pow(2) / 3;
    let name: String = (0..100).map(|bit| if bits >> bit & 1 == 0 { 'a' } else { 'b' }).collect();
    let mut item = items().swap_remove(1);
    item.insert("name".into(), name.into());
    item
}

/// The times are printed and not asserted: `cargo nextest run -p shared --no-capture fast`.
#[test]
fn the_largest_filters_are_fast() {
    let name = "a".repeat(180);
    let each = |number: usize| {
        let time = format!("2020-01-01T00:00:00.{number:03}Z");
        json!({ "createdOn": { "lt": time }, "name": format!("{name}{number}") })
    };
    let wide = |count| json!({ "or": (0..count).map(each).collect::<Vec<_>>() }).to_string();
    time("500 times two conditions", &format!(r#"filter={{"where":{}}}"#, wide(500)));
    time("a where of 200 KiB", &format!(r#"filter={{"where":{}}}"#, wide(850)));
    let id = |n| format!("&filter[where][id][inq][]=01890000-0000-7000-8000-{n:012}");
    time("1,000 ids", &(0..1000).map(id).collect::<String>());
    let position = |n| format!("&filter[where][name][inq][{n}]=");
    time("3,500 pairs", &(0..3500).map(position).collect::<String>());
    for pattern in [
        "(a+)+$",
        "(a|a)*c",
        "(a*)*c",
        "(.*a){20}c",
        r"(\w+\s?)*!",
        "(a?){50}a{50}c",
        "(a|b)*a(a|b){40}c",
        "(a.{1,40}){2}b.{3,40}c",
    ] {
        time(pattern, &format!("filter[where][name][regexp]={}", encode(pattern)));
    }
    time("like", &format!("filter[where][name][like]={}", encode(&"%a".repeat(400))));
    time("ilike", &format!("filter[where][name][ilike]={}", encode(&"%_a".repeat(20))));
}
