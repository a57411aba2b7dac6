use std::collections::BTreeSet;

use super::{Kind, condition::Test, datum::Datum, node::Node, pattern::Pattern, place::Place};
use crate::Result;

/// The most values of `inq` and `nin`.
const MOST_VALUES: usize = 1000;

/// Every operator (CONTRACT §8).
const OPERATORS: &str = "eq, neq, gt, gte, lt, lte, between, inq, nin, like, nlike, ilike, nilike, \
                         regexp, exists, contains";

/// What the operator `name` with the operand `node` asks of a property of `kind`.
pub(super) fn read(name: &str, kind: Kind, node: &Node, at: &Place<'_>) -> Result<Test> {
    at.count_condition()?;
    let ordered = || applies(kind.is_ordered(), kind, at);
    let textual = || applies(matches!(kind, Kind::Text | Kind::Id), kind, at);
    Ok(match name {
        "eq" => Test::Eq(Datum::read(kind, node, at)?),
        "neq" => Test::Neq(Datum::read(kind, node, at)?),
        "gt" => ordered().and_then(|()| Datum::read_some(kind, node, at)).map(Test::Gt)?,
        "gte" => ordered().and_then(|()| Datum::read_some(kind, node, at)).map(Test::Gte)?,
        "lt" => ordered().and_then(|()| Datum::read_some(kind, node, at)).map(Test::Lt)?,
        "lte" => ordered().and_then(|()| Datum::read_some(kind, node, at)).map(Test::Lte)?,
        "between" => ordered().and_then(|()| between(kind, node, at))?,
        "inq" => values(kind, node, at).map(Test::In)?,
        "nin" => values(kind, node, at).map(Test::NotIn)?,
        "like" => textual().and_then(|()| Pattern::like(node, false, at)).map(Test::Matches)?,
        "nlike" => textual().and_then(|()| Pattern::like(node, false, at)).map(Test::Misses)?,
        "ilike" => textual().and_then(|()| Pattern::like(node, true, at)).map(Test::Matches)?,
        "nilike" => textual().and_then(|()| Pattern::like(node, true, at)).map(Test::Misses)?,
        "regexp" => textual().and_then(|()| Pattern::regexp(node, at)).map(Test::Matches)?,
        "exists" => {
            node.boolean().map(Test::Exists).ok_or_else(|| at.refuse(Kind::Boolean.rule()))?
        }
        "contains" => applies(kind == Kind::List, kind, at).and_then(|()| contains(node, at))?,
        _ => return Err(at.refuse(format_args!("is no operator ({OPERATORS})"))),
    })
}

fn applies(it_does: bool, kind: Kind, at: &Place<'_>) -> Result<()> {
    let rule = || at.refuse(format_args!("does not apply to {} property", kind.noun()));
    it_does.then_some(()).ok_or_else(rule)
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

/// One value, or an array of values that must all be there.
fn contains(node: &Node, at: &Place<'_>) -> Result<Test> {
    let items = match node {
        Node::List(items) => items.clone(),
        Node::Object(_) | Node::Null => return Err(at.refuse("must be a value or an array")),
        one => vec![one.clone()],
    };
    if items.len() > MOST_VALUES {
        return Err(at.refuse(format_args!("must NOT have more than {MOST_VALUES} items")));
    }
    Ok(Test::Contains(items.iter().map(Node::settled).collect()))
}
