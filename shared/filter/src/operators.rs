use std::collections::BTreeSet;

use super::{Kind, condition::Test, datum::Datum, node::Node, pattern::Pattern, place::Place};
use crate::Result;

/// The maximum number of values of `inq`, `nin` and `contains`.
const MOST_VALUES: usize = 1000;

/// Every operator, for error messages.
const OPERATORS: &str = "eq, neq, gt, gte, lt, lte, between, inq, nin, like, nlike, ilike, nilike, \
                         regexp, exists, contains";

/// Parses the operator `name` with the operand `node` for a property of `kind`.
pub(super) fn read(name: &str, kind: Kind, node: &Node, at: &Place<'_>) -> Result<Test> {
    at.count_condition()?;
    let applies = match name {
        "gt" | "gte" | "lt" | "lte" | "between" => kind.is_ordered(),
        "like" | "nlike" | "ilike" | "nilike" | "regexp" => kind.is_text(),
        "contains" => kind.is_list(),
        _ => true,
    };
    if !applies {
        return Err(at.refuse(format_args!("does not apply to {} property", kind.noun())));
    }
    let value = || Datum::read(kind, node, at);
    let some = || Datum::read_some(kind, node, at);
    let like = |ignore_case| Pattern::like(node, ignore_case || kind.ignores_case(), at);
    Ok(match name {
        "eq" => Test::Eq(value()?),
        "neq" => Test::Neq(value()?),
        "gt" => Test::Gt(some()?),
        "gte" => Test::Gte(some()?),
        "lt" => Test::Lt(some()?),
        "lte" => Test::Lte(some()?),
        "between" => between(kind, node, at)?,
        "inq" => Test::In(values(kind, node, at)?),
        "nin" => Test::NotIn(values(kind, node, at)?),
        "like" => Test::Matches(like(false)?),
        "nlike" => Test::Misses(like(false)?),
        "ilike" => Test::Matches(like(true)?),
        "nilike" => Test::Misses(like(true)?),
        "regexp" => Test::Matches(Pattern::regexp(node, kind.ignores_case(), at)?),
        "exists" => {
            let exists = node.boolean().map(Test::Exists);
            exists.ok_or_else(|| at.refuse(Kind::Boolean.rule()))?
        }
        "contains" => contains(kind, node, at)?,
        _ => return Err(at.refuse(format_args!("is not an operator (supported: {OPERATORS})"))),
    })
}

fn between(kind: Kind, node: &Node, at: &Place<'_>) -> Result<Test> {
    let Some([low, high]) = node.list() else {
        return Err(at.refuse("must be an array of two values"));
    };
    let low = Datum::read_some(kind, low, &at.below("0"))?;
    Ok(Test::Between(low, Datum::read_some(kind, high, &at.below("1"))?))
}

fn values(kind: Kind, node: &Node, at: &Place<'_>) -> Result<BTreeSet<Datum>> {
    let items = node.list().ok_or_else(|| at.refuse("must be an array"))?;
    if items.len() > MOST_VALUES {
        return Err(at.refuse(format_args!("must NOT have more than {MOST_VALUES} items")));
    }
    let read = |(position, item): (usize, &Node)| {
        Datum::read(kind, item, &at.below(&position.to_string()))
    };
    items.iter().enumerate().map(read).collect()
}

/// Parses one value, or an array of values that must all be contained.
fn contains(kind: Kind, node: &Node, at: &Place<'_>) -> Result<Test> {
    let items = match node {
        Node::List(items) => items.as_slice(),
        Node::Object(_) | Node::Null => return Err(at.refuse("must be a value or an array")),
        one => std::slice::from_ref(one),
    };
    if items.len() > MOST_VALUES {
        return Err(at.refuse(format_args!("must NOT have more than {MOST_VALUES} items")));
    }
    Ok(Test::Contains(items.iter().map(|item| item.settled(kind)).collect()))
}
