use std::collections::BTreeSet;

use serde_json::Value;

use super::{Kind, Schema, datum::Datum, node::Node, operators, pattern::Pattern, place::Place};
use crate::Result;

/// Which items are asked for: those that meet every condition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Where(pub(super) Vec<Condition>);

/// One condition of a [`Where`].
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    /// Every one of these holds.
    All(Vec<Where>),
    /// At least one of these holds.
    Any(Vec<Where>),
    /// A property passes a test.
    Property(&'static str, Kind, Test),
}

/// What is asked of a property.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    /// It is this, or `null`.
    Eq(Datum),
    /// It is something else, and not `null`; or merely not `null`.
    Neq(Datum),
    /// It is greater.
    Gt(Datum),
    /// It is greater or equal.
    Gte(Datum),
    /// It is less.
    Lt(Datum),
    /// It is less or equal.
    Lte(Datum),
    /// It is neither less than the first nor greater than the second.
    Between(Datum, Datum),
    /// It is one of these.
    In(BTreeSet<Datum>),
    /// It is something, and none of these.
    NotIn(BTreeSet<Datum>),
    /// It matches.
    Matches(Pattern),
    /// It is something, and does not match.
    Misses(Pattern),
    /// It is something, or it is `null`.
    Exists(bool),
    /// It has all of these among its items.
    Contains(BTreeSet<Node>),
}

impl Where {
    /// Reads an object of conditions.
    pub(super) fn read(node: &Node, schema: &'static Schema, at: &Place<'_>) -> Result<Self> {
        let members = node.object().ok_or_else(|| at.refuse("must be an object"))?;
        let mut conditions = Vec::with_capacity(members.len());
        for (name, node) in members {
            let below = at.below(name);
            match name.as_str() {
                "and" => conditions.push(Condition::All(several(node, schema, &below)?)),
                "or" => conditions.push(Condition::Any(several(node, schema, &below)?)),
                _ => of_property(name, node, schema, &below, &mut conditions)?,
            }
        }
        Ok(Self(conditions))
    }

    /// Whether it asks for everything.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it asks for the equality of one property with something, and nothing else.
    #[must_use]
    pub fn is_one_equality(&self) -> bool {
        matches!(self.0.as_slice(), [Condition::Property(_, _, Test::Eq(_))])
    }

    /// The value that `property` must be equal to, where every item asked for has it: an equality
    /// at the top, also within `and`, also an `inq` of one value. Never `null`.
    #[must_use]
    pub fn equals(&self, property: &str) -> Option<Value> {
        let mut values = self.one_of(property)?;
        values.pop().filter(|_| values.is_empty())
    }

    /// The values that `property` must be one of, where every item asked for has one of them: as
    /// [`Where::equals`], and any `inq`.
    #[must_use]
    pub fn one_of(&self, property: &str) -> Option<Vec<Value>> {
        let fewer = |a: Vec<_>, b: Vec<_>| if b.len() < a.len() { b } else { a };
        let found = self.0.iter().filter_map(|condition| match condition {
            Condition::Property(name, _, Test::Eq(value)) if *name == property => {
                Some(vec![value.to_json()?])
            }
            Condition::Property(name, _, Test::In(values)) if *name == property => {
                values.iter().map(Datum::to_json).collect()
            }
            Condition::All(all) => {
                all.iter().filter_map(|each| each.one_of(property)).reduce(fewer)
            }
            Condition::Any(_) | Condition::Property(..) => None,
        });
        found.reduce(fewer)
    }
}

/// The conditions of `and` and `or`. None at all would ask for everything, or for nothing.
fn several(node: &Node, schema: &'static Schema, at: &Place<'_>) -> Result<Vec<Where>> {
    let rule = || at.refuse("must be an array of at least one condition");
    let items = node.list().filter(|items| !items.is_empty()).ok_or_else(rule)?;
    let read = |(position, node): (usize, &Node)| {
        let name = position.to_string();
        let below = at.below(&name);
        let read = Where::read(node, schema, &below)?;
        if read.is_everything() {
            return Err(below.refuse("must have a condition"));
        }
        Ok(read)
    };
    items.iter().enumerate().map(read).collect()
}

/// The conditions on one property: an object of operators, or the value it must be equal to.
fn of_property(
    name: &str,
    node: &Node,
    schema: &'static Schema,
    at: &Place<'_>,
    conditions: &mut Vec<Condition>,
) -> Result<()> {
    let (name, kind) = schema.property(name, at)?;
    let Some(members) = node.object() else {
        let test = operators::read("eq", kind, node, at)?;
        conditions.push(Condition::Property(name, kind, test));
        return Ok(());
    };
    if members.is_empty() {
        return Err(at.refuse("must have an operator"));
    }
    for (operator, operand) in members {
        let test = operators::read(operator, kind, operand, &at.below(operator))?;
        conditions.push(Condition::Property(name, kind, test));
    }
    Ok(())
}
