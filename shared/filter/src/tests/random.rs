//! Random filters over random items agree with a second, simple implementation.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{IDS, ITEM, encode, forms::in_brackets};
use crate::{Filter, Where};

/// Generates few different numbers, so that conditions often match.
fn number() -> impl Strategy<Value = i64> {
    -2..4_i64
}

/// Generates an item, created in January 2026.
fn item() -> impl Strategy<Value = Map<String, Value>> {
    let or_null = |value: BoxedStrategy<Value>| prop_oneof![4 => value, 1 => Just(Value::Null)];
    (
        0..5_usize,
        or_null("[ab%_]{0,3}".prop_map(Value::from).boxed()),
        or_null(number().prop_map(Value::from).boxed()),
        or_null(number().prop_map(|n| json!(format!("{n}.50"))).boxed()),
        or_null(any::<bool>().prop_map(Value::from).boxed()),
        or_null((1..5).prop_map(|day| json!(format!("2026-01-0{day}T12:00:00.000Z"))).boxed()),
        or_null(prop::collection::vec("[xy]", 0..3).prop_map(Value::from).boxed()),
    )
        .prop_map(|(id, name, size, price, open, created, tags)| {
            let item = json!({ "id": IDS[id], "name": name, "size": size, "price": price,
                               "open": open, "createdOn": created, "tags": tags });
            item.as_object().unwrap().clone()
        })
}

/// Generates a property with a possible value.
fn pair() -> impl Strategy<Value = (&'static str, Value)> {
    prop_oneof![
        (0..5_usize).prop_map(|id| ("id", json!(IDS[id]))),
        "[ab%_]{0,3}".prop_map(|name| ("name", json!(name))),
        number().prop_map(|n| ("size", json!(n))),
        number().prop_map(|n| ("price", json!(format!("{n}.5")))),
        // The same point in time as the item's, with another offset.
        (1..5).prop_map(|day| ("createdOn", json!(format!("2026-01-0{day}T14:00:00+02:00")))),
    ]
}

fn condition() -> impl Strategy<Value = Value> {
    let ordered = (pair(), prop::sample::select(vec!["eq", "neq", "gt", "gte", "lt", "lte"]))
        .prop_map(|((name, value), operator)| json!({ name: { operator: value } }));
    let between = (number(), number()).prop_map(|(a, b)| json!({ "size": { "between": [a, b] } }));
    let listed = (prop::collection::vec(prop::option::of(number()), 1..4), any::<bool>()).prop_map(
        |(values, within)| json!({ "size": { if within { "inq" } else { "nin" }: values } }),
    );
    let like = ("[abAB%_]{0,3}", prop::sample::select(vec!["like", "nlike", "ilike", "nilike"]))
        .prop_map(|(pattern, operator)| json!({ "name": { operator: pattern } }));
    let null = (pair(), any::<bool>()).prop_map(|((name, _), is)| match is {
        true => json!({ name: null }),
        false => json!({ name: { "neq": null } }),
    });
    let exists =
        (pair(), any::<bool>()).prop_map(|((name, _), is)| json!({ name: { "exists": is } }));
    let tags = prop::collection::vec("[xyz]", 1..3).prop_flat_map(|tags| {
        prop_oneof![Just(json!({ "tags": tags })), Just(json!({ "tags": { "contains": tags } })),]
    });
    let open = any::<bool>().prop_map(|open| json!({ "open": open }));
    prop_oneof![
        4 => ordered,
        1 => pair().prop_map(|(name, value)| json!({ name: value })),
        1 => between,
        1 => listed,
        1 => like,
        1 => null,
        1 => exists,
        1 => tags,
        1 => open,
    ]
}

fn conditions() -> impl Strategy<Value = Value> {
    condition().prop_recursive(2, 9, 3, |inner| {
        let several = prop::collection::vec(inner, 1..4);
        (several, any::<bool>(), prop::option::of(condition())).prop_map(|(several, all, more)| {
            let mut conditions = json!({ if all { "and" } else { "or" }: several });
            for (name, value) in more.iter().flat_map(|more| more.as_object().unwrap()) {
                conditions[name] = value.clone();
            }
            conditions
        })
    })
}

/// Converts amounts to halves and times to milliseconds, so that integers can be compared.
fn rank(name: &str, value: &Value) -> Result<i64, String> {
    match (name, value) {
        ("price", Value::String(text)) => {
            let (whole, _) = text.split_once('.').unwrap();
            let halves = whole.parse::<i64>().unwrap() * 2;
            Ok(if text.starts_with('-') { halves - 1 } else { halves + 1 })
        }
        ("createdOn", Value::String(text)) => {
            let moment: jiff::Timestamp = text.parse().unwrap();
            Ok(moment.as_millisecond())
        }
        (_, Value::Number(number)) => Ok(number.as_i64().unwrap()),
        (_, other) => Err(other.as_str().unwrap().to_owned()),
    }
}

fn like(text: &[u8], pattern: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'%', rest @ ..] => (0..=text.len()).any(|from| like(&text[from..], rest)),
        [one, rest @ ..] => {
            text.first().is_some_and(|first| *one == b'_' || first == one) && like(&text[1..], rest)
        }
    }
}

/// Evaluates conditions exactly as the module's documentation says.
fn naive(conditions: &Value, item: &Map<String, Value>) -> bool {
    conditions.as_object().unwrap().iter().all(|(name, condition)| {
        if name == "and" {
            return condition.as_array().unwrap().iter().all(|one| naive(one, item));
        }
        if name == "or" {
            return condition.as_array().unwrap().iter().any(|one| naive(one, item));
        }
        let held = &item[name];
        let Value::Object(operators) = condition else {
            return naive_test(name, "eq", condition, held);
        };
        operators.iter().all(|(operator, operand)| naive_test(name, operator, operand, held))
    })
}

fn naive_test(name: &str, operator: &str, operand: &Value, held: &Value) -> bool {
    let same = |a: &Value, b: &Value| match (a, b) {
        (Value::Null, _) | (_, Value::Null) | (Value::Bool(_), _) | (Value::Array(_), _) => a == b,
        _ => rank(name, a) == rank(name, b),
    };
    let negated = operator.strip_prefix('n');
    match (operator, negated) {
        ("neq", _) => !held.is_null() && !same(held, operand),
        ("nin", _) => !held.is_null() && !naive_test(name, "inq", operand, held),
        (_, Some(positive @ ("like" | "ilike"))) => {
            !held.is_null() && !naive_test(name, positive, operand, held)
        }
        ("exists", _) => held.is_null() != operand.as_bool().unwrap(),
        ("inq", _) => operand.as_array().unwrap().iter().any(|one| same(held, one)),
        ("eq", _) => same(held, operand),
        _ if held.is_null() => false,
        ("gt", _) => rank(name, held) > rank(name, operand),
        ("gte", _) => rank(name, held) >= rank(name, operand),
        ("lt", _) => rank(name, held) < rank(name, operand),
        ("lte", _) => rank(name, held) <= rank(name, operand),
        ("between", _) => {
            rank(name, held) >= rank(name, &operand[0])
                && rank(name, held) <= rank(name, &operand[1])
        }
        ("like", _) => {
            like(held.as_str().unwrap().as_bytes(), operand.as_str().unwrap().as_bytes())
        }
        ("ilike", _) => {
            let lower = |value: &Value| value.as_str().unwrap().to_lowercase();
            like(lower(held).as_bytes(), lower(operand).as_bytes())
        }
        ("contains", _) => {
            let held = held.as_array().unwrap();
            operand.as_array().unwrap().iter().all(|one| held.contains(one))
        }
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn random_filters_agree_with_a_simple_implementation(
        conditions in conditions(),
        items in prop::collection::vec(item(), 1..12),
    ) {
        let query = format!("where={}", encode(&conditions.to_string()));
        let read = Where::from_query(&query, &ITEM).unwrap();
        for item in &items {
            prop_assert_eq!(read.matches(item), naive(&conditions, item), "{:?}", item);
        }
        // The values that the store narrows by must apply to all matching items.
        for property in ["id", "name", "size"] {
            let found = items.iter().filter(|item| read.matches(item));
            if let Some(values) = read.one_of(property) {
                prop_assert!(found.clone().all(|item| values.contains(&item[property])));
            }
        }
    }

    #[test]
    fn random_filters_are_equivalent_in_both_notations(conditions in conditions()) {
        let filter = json!({ "where": conditions });
        let json = format!("filter={}", encode(&filter.to_string()));
        let json = Filter::from_query(&json, &ITEM).unwrap();
        prop_assert_eq!(Filter::from_query(&in_brackets(&filter), &ITEM).unwrap(), json);
    }

    #[test]
    fn the_pages_together_are_the_whole_list(
        items in prop::collection::vec(item(), 0..12),
        by in prop::sample::select(vec!["name", "size", "price", "open", "createdOn", "id"]),
        descending in any::<bool>(),
        size in 1..5_usize,
    ) {
        let order = format!("{by} {}", if descending { "DESC" } else { "ASC" });
        let page = |filter: Value| {
            let query = format!("filter={}", encode(&filter.to_string()));
            Filter::from_query(&query, &ITEM).unwrap().select(items.clone())
        };
        let whole = page(json!({ "order": order }));
        let pages = (0..items.len()).step_by(size);
        let pages = pages.flat_map(|skip| page(json!({ "order": order, "skip": skip, "limit": size })));
        prop_assert_eq!(&whole, &pages.collect::<Vec<_>>());
        for two in whole.windows(2) {
            let (a, b) = if descending { (&two[1], &two[0]) } else { (&two[0], &two[1]) };
            let in_order = match (&a[by], &b[by]) {
                (_, Value::Null) => true,
                (Value::Null, _) => false,
                (Value::Bool(a), Value::Bool(b)) => a <= b,
                (a, b) => rank(by, a) <= rank(by, b),
            };
            prop_assert!(in_order, "{:?}", two);
        }
    }
}
