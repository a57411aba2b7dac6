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
                "and" => conditions.push(Condition::All(several(node, schema, &below)?)),
                "or" => conditions.push(Condition::Any(several(node, schema, &below)?)),
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

/// Parses the conditions of `and` and `or`. Empty conditions are refused because they would match
/// everything or nothing.
fn several(node: &Node, schema: &'static Schema, at: &Position<'_>) -> Result<Vec<Where>> {
    let rule = || at.error("must be an array of at least one condition");
    let items = node.list().filter(|items| !items.is_empty()).ok_or_else(rule)?;
    let read = |(position, node): (usize, &Node)| {
        let name = position.to_string();
        let below = at.member(&name);
        let read = Where::read(node, schema, &below)?;
        if read.is_everything() {
            return Err(below.error("must have a condition"));
        }
        Ok(read)
    };
    items.iter().enumerate().map(read).collect()
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
