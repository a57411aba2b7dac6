use std::collections::BTreeSet;

use super::{Kind, node::Node, pattern::Pattern, position::Position, typed_value::TypedValue};
use crate::Result;

/// The maximum number of values of `inq`, `nin` and `contains`.
const MAX_VALUES: usize = 1000;

/// Every operator, for error messages.
const OPERATORS: &str = "eq, neq, gt, gte, lt, lte, between, inq, nin, like, nlike, ilike, nilike, \
                         regexp, exists, contains";

/// A test of a property's value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    /// The value equals this, which may be `null`.
    Eq(TypedValue),
    /// The value differs from this and is not `null`.
    Neq(TypedValue),
    /// The value is greater than this.
    Gt(TypedValue),
    /// The value is greater than or equal to this.
    Gte(TypedValue),
    /// The value is less than this.
    Lt(TypedValue),
    /// The value is less than or equal to this.
    Lte(TypedValue),
    /// The value is between these two, inclusive.
    Between(TypedValue, TypedValue),
    /// The value is one of these.
    In(BTreeSet<TypedValue>),
    /// The value is none of these and is not `null`.
    NotIn(BTreeSet<TypedValue>),
    /// The text matches this.
    Matches(Pattern),
    /// The text does not match this. Never true for `null`.
    NotMatches(Pattern),
    /// The value is not `null` (`true`), or is `null` (`false`).
    Exists(bool),
    /// The array contains all of these.
    Contains(BTreeSet<Node>),
}

/// Parses the operator `name` with the operand `node` for a property of `kind`.
pub(super) fn read(name: &str, kind: Kind, node: &Node, at: &Position<'_>) -> Result<Test> {
    at.count_condition()?;
    let applies = match name {
        "gt" | "gte" | "lt" | "lte" | "between" => kind.is_ordered(),
        "like" | "nlike" | "ilike" | "nilike" | "regexp" => kind.is_text(),
        "contains" => kind.is_list(),
        _ => true,
    };
    if !applies {
        return Err(at.error(format_args!("does not apply to {} property", kind.noun())));
    }
    let value = || TypedValue::read(kind, node, at);
    let some = || TypedValue::read_some(kind, node, at);
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
        "nlike" => Test::NotMatches(like(false)?),
        "ilike" => Test::Matches(like(true)?),
        "nilike" => Test::NotMatches(like(true)?),
        "regexp" => Test::Matches(Pattern::regexp(node, kind.ignores_case(), at)?),
        "exists" => {
            let exists = node.boolean().map(Test::Exists);
            exists.ok_or_else(|| at.error(Kind::Boolean.rule()))?
        }
        "contains" => contains(kind, node, at)?,
        _ => return Err(at.error(format_args!("is not an operator (supported: {OPERATORS})"))),
    })
}

fn between(kind: Kind, node: &Node, at: &Position<'_>) -> Result<Test> {
    let Some([low, high]) = node.list() else {
        return Err(at.error("must be an array of two values"));
    };
    let low = TypedValue::read_some(kind, low, &at.member("0"))?;
    Ok(Test::Between(low, TypedValue::read_some(kind, high, &at.member("1"))?))
}

fn values(kind: Kind, node: &Node, at: &Position<'_>) -> Result<BTreeSet<TypedValue>> {
    let items = node.items().ok_or_else(|| at.error("must be an array"))?;
    if items.len() > MAX_VALUES {
        return Err(at.error(format_args!("must NOT have more than {MAX_VALUES} items")));
    }
    let read = |(position, item): (usize, &Node)| {
        TypedValue::read(kind, item, &at.member(&position.to_string()))
    };
    items.iter().enumerate().map(read).collect()
}

/// Parses one value, or an array of values that must all be contained.
fn contains(kind: Kind, node: &Node, at: &Position<'_>) -> Result<Test> {
    let items = match node {
        Node::List(items) => items.as_slice(),
        Node::Object(_) | Node::Null => return Err(at.error("must be a value or an array")),
        one => std::slice::from_ref(one),
    };
    if items.len() > MAX_VALUES {
        return Err(at.error(format_args!("must NOT have more than {MAX_VALUES} items")));
    }
    Ok(Test::Contains(items.iter().map(|item| item.to_kind(kind)).collect()))
}
