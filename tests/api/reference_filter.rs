//! A reference implementation of filters, on items as clients read them.

use std::cmp::Ordering;

use serde_json::{Value, json};

/// The type by which a property is compared.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Text,
    Number,
    Time,
    Id,
    Hosts,
}

/// A property's name and type.
pub(crate) type Property = (&'static str, Kind);

/// Compares two values. `null` is the greatest.
fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Greater,
        (_, Value::Null) => Ordering::Less,
        (Value::Number(a), Value::Number(b)) => {
            a.as_f64().unwrap().partial_cmp(&b.as_f64().unwrap()).unwrap()
        }
        // All times have the same format, so their text sorts chronologically.
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (a, b) => panic!("{a} and {b} are not comparable"),
    }
}

/// Returns whether `text` matches `pattern`, in which `%` is any text and `_` any character.
fn like(text: &[char], pattern: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('%', rest)) => (0..=text.len()).any(|skip| like(&text[skip..], rest)),
        Some((wanted, rest)) => {
            let Some((first, text)) = text.split_first() else { return false };
            (*wanted == '_' || wanted == first) && like(text, rest)
        }
    }
}

fn is_like(text: &str, pattern: &str, ignore_case: bool) -> bool {
    let folded = |text: &str| if ignore_case { text.to_lowercase() } else { text.to_owned() };
    let chars = |text: &str| -> Vec<char> { folded(text).chars().collect() };
    like(&chars(text), &chars(pattern))
}

fn passes(stored: &Value, operator: &str, operand: &Value, kind: Kind) -> bool {
    let equal = |other: &Value| match (stored, other) {
        (Value::Array(a), Value::Array(b)) => a == b,
        (Value::Array(_), _) | (_, Value::Array(_)) => false,
        _ => compare(stored, other) == Ordering::Equal,
    };
    let some = !stored.is_null();
    let list = || operand.as_array().unwrap();
    let text = |ignore_case| {
        let ignore_case = ignore_case || kind == Kind::Id;
        stored.as_str().map(|stored| is_like(stored, operand.as_str().unwrap(), ignore_case))
    };
    match operator {
        "eq" => equal(operand),
        "neq" => some && !equal(operand),
        "gt" => some && compare(stored, operand) == Ordering::Greater,
        "gte" => some && compare(stored, operand) != Ordering::Less,
        "lt" => some && compare(stored, operand) == Ordering::Less,
        "lte" => some && compare(stored, operand) != Ordering::Greater,
        "between" => {
            some && compare(stored, &list()[0]) != Ordering::Less
                && compare(stored, &list()[1]) != Ordering::Greater
        }
        "inq" => list().iter().any(equal),
        "nin" => some && !list().iter().any(equal),
        "like" => text(false) == Some(true),
        "ilike" => text(true) == Some(true),
        "nlike" => text(false) == Some(false),
        "nilike" => text(true) == Some(false),
        // Generated patterns are a `^` and a literal prefix.
        "regexp" => {
            let start = operand.as_str().unwrap().trim_start_matches('^');
            stored.as_str().is_some_and(|stored| stored.starts_with(start))
        }
        "exists" => some == operand.as_bool().unwrap(),
        "contains" => list().iter().all(|each| stored.as_array().unwrap().contains(each)),
        other => panic!("{other}"),
    }
}

/// Returns whether `item` meets `conditions`.
pub(crate) fn matches(item: &Value, conditions: &Value, properties: &[Property]) -> bool {
    let list = |value: &Value| value.as_array().unwrap().clone();
    conditions.as_object().unwrap().iter().all(|(name, test)| match name.as_str() {
        "and" => list(test).iter().all(|each| matches(item, each, properties)),
        "or" => list(test).iter().any(|each| matches(item, each, properties)),
        name => {
            let kind = properties.iter().find(|(known, _)| *known == name).unwrap().1;
            match test {
                Value::Object(operators) => operators
                    .iter()
                    .all(|(operator, operand)| passes(&item[name], operator, operand, kind)),
                plain => passes(&item[name], "eq", plain, kind),
            }
        }
    })
}

/// Returns the IDs of the items that `filter` selects, in order.
pub(crate) fn evaluate(items: &[Value], filter: &Value, properties: &[Property]) -> Vec<Value> {
    let mut found: Vec<_> =
        items.iter().filter(|item| matches(item, &filter["where"], properties)).collect();
    let newest_first = json!(["createdOn DESC"]);
    let order = filter["order"].as_array().unwrap_or(newest_first.as_array().unwrap());
    let mut parts: Vec<(&str, bool)> = order
        .iter()
        .map(|part| part.as_str().unwrap().split_once(' ').unwrap())
        .map(|(name, direction)| (name, direction == "DESC"))
        .collect();
    parts.push(("id", parts.last().unwrap().1));
    found.sort_by(|a, b| {
        let each = parts.iter().map(|(name, descending)| {
            let order = compare(&a[*name], &b[*name]);
            if *descending { order.reverse() } else { order }
        });
        each.fold(Ordering::Equal, Ordering::then)
    });
    let number = |name: &str| filter[name].as_u64().map(|number| usize::try_from(number).unwrap());
    let skip = number("skip").or(number("offset")).unwrap_or(0);
    let limit = number("limit").unwrap_or(100);
    found.into_iter().skip(skip).take(limit).map(|item| item["id"].clone()).collect()
}
