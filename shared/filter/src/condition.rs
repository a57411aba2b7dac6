use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Kind, Schema,
    node::Node,
    operators::{self, Test},
    position::Position,
    typed_value::TypedValue,
};
use crate::Result;

/// The conditions that items must meet, all of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Where(pub(super) Vec<Condition>);

/// One condition of a [`Where`].
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    /// All of these must match.
    All(Vec<Where>),
    /// At least one of these must match.
    Any(Vec<Where>),
    /// A property must pass a test.
    Property(&'static str, Kind, Test),
}

impl Where {
    /// Parses an object of conditions.
    pub(super) fn read(node: &Node, schema: &'static Schema, at: &Position<'_>) -> Result<Self> {
        let members = node.object().ok_or_else(|| at.error("must be an object"))?;
        let mut conditions = Vec::with_capacity(members.len());
        for (name, node) in members {
            let below = at.member(name);
            match name.as_str() {
                "and" => conditions.extend(several(node, schema, &below)?.map(Condition::All)),
                "or" => conditions.extend(several(node, schema, &below)?.map(Condition::Any)),
                _ => of_property(name, node, schema, &below, &mut conditions)?,
            }
        }
        Ok(Self(conditions))
    }

    /// Returns whether there are no conditions.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether the only condition is the equality of one property.
    #[must_use]
    pub fn is_one_equality(&self) -> bool {
        matches!(self.0.as_slice(), [Condition::Property(_, _, Test::Eq(_))])
    }

    /// Returns the value of `property` that every matching item must have, or `None` if there is no
    /// such value. Considers equality and `inq` with one value, at the top level and in `and`.
    /// Never returns `null`.
    #[must_use]
    pub fn equals(&self, property: &str) -> Option<Value> {
        let mut values = self.one_of(property)?;
        values.pop().filter(|_| values.is_empty())
    }

    /// Returns values of `property` of which every matching item must have one, or `None` if there
    /// are no such values. Considers the same conditions as [`Where::equals`], and `inq` with any
    /// number of values.
    #[must_use]
    pub fn one_of(&self, property: &str) -> Option<Vec<Value>> {
        let fewer = |a: Vec<_>, b: Vec<_>| if b.len() < a.len() { b } else { a };
        let found = self.0.iter().filter_map(|condition| match condition {
            Condition::Property(name, _, Test::Eq(value)) if *name == property => {
                Some(vec![value.to_json()?])
            }
            Condition::Property(name, _, Test::In(values)) if *name == property => {
                values.iter().map(TypedValue::to_json).collect()
            }
            Condition::All(all) => {
                all.iter().filter_map(|each| each.one_of(property)).reduce(fewer)
            }
            Condition::Any(_) | Condition::Property(..) => None,
        });
        found.reduce(fewer)
    }
}

/// Parses the conditions of `and` and `or`. Empty conditions are left out, as in LoopBack. Returns
/// `None` if no condition is left.
fn several(node: &Node, schema: &'static Schema, at: &Position<'_>) -> Result<Option<Vec<Where>>> {
    let items = node.list().ok_or_else(|| at.error("must be an array of conditions"))?;
    let read = |(position, node): (usize, &Node)| {
        Where::read(node, schema, &at.member(&position.to_string()))
    };
    let mut read: Vec<_> = items.iter().enumerate().map(read).collect::<Result<_>>()?;
    read.retain(|conditions| !conditions.is_everything());
    Ok((!read.is_empty()).then_some(read))
}

/// Refuses an empty `and` or `or`, and an empty condition in one. Lists ignore them; a bulk update
/// must not, because it would change everything.
pub(super) fn refuse_empty(node: &Node, at: &Position<'_>) -> Result<()> {
    let members = node.object().into_iter().flatten();
    for (name, node) in members.filter(|(name, _)| matches!(name.as_str(), "and" | "or")) {
        let below = at.member(name);
        let items = node.list().unwrap_or_default();
        if items.is_empty() {
            return Err(below.error("must be an array of at least one condition"));
        }
        for (position, item) in items.iter().enumerate() {
            let name = position.to_string();
            let below = below.member(&name);
            if item.object().is_some_and(BTreeMap::is_empty) {
                return Err(below.error("must have a condition"));
            }
            refuse_empty(item, &below)?;
        }
    }
    Ok(())
}

/// Parses the conditions on one property: an object of operators, or a value for equality.
fn of_property(
    name: &str,
    node: &Node,
    schema: &'static Schema,
    at: &Position<'_>,
    conditions: &mut Vec<Condition>,
) -> Result<()> {
    let (name, kind) = schema.property(name, at)?;
    let Some(members) = node.object() else {
        let test = operators::read("eq", kind, node, at)?;
        conditions.push(Condition::Property(name, kind, test));
        return Ok(());
    };
    if members.is_empty() {
        return Err(at.error("must have an operator"));
    }
    for (operator, operand) in members {
        let test = operators::read(operator, kind, operand, &at.member(operator))?;
        conditions.push(Condition::Property(name, kind, test));
    }
    Ok(())
}
