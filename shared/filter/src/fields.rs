use serde_json::{Map, Value};

use super::{Schema, node::Node, position::Position};
use crate::Result;

/// The properties of an item to leave out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    left_out: Vec<&'static str>,
}

impl Fields {
    /// Parses an array of names or an object. `{"a":true}` leaves out all other properties, and
    /// `{"a":false}` only this one. An empty array or object leaves out nothing.
    pub(super) fn read(node: &Node, schema: &'static Schema, at: &Position<'_>) -> Result<Self> {
        let (mut taken, mut dropped) = (Vec::new(), Vec::new());
        match node {
            Node::List(_) | Node::Untyped(_) => {
                for (position, item) in node.items().unwrap_or_default().iter().enumerate() {
                    let position = position.to_string();
                    let below = at.member(&position);
                    let name = item.text().ok_or_else(|| below.error("must be a string"))?;
                    taken.push(schema.property(name, &at.member(name))?.0);
                }
            }
            Node::Object(members) => {
                for (name, node) in members {
                    let below = at.member(name);
                    let (name, _) = schema.property(name, &below)?;
                    match node.boolean() {
                        Some(true) => taken.push(name),
                        Some(false) => dropped.push(name),
                        None => return Err(below.error("must be true or false")),
                    }
                }
            }
            _ => return Err(at.error("must be an array or an object")),
        }
        let all = schema.properties.iter().map(|(name, _)| *name);
        let left_out = match taken.is_empty() {
            true => dropped,
            false => all.filter(|name| !taken.contains(name)).collect(),
        };
        Ok(Self { left_out })
    }

    /// Returns whether `property` is left out.
    #[must_use]
    pub fn leave_out(&self, property: &str) -> bool {
        self.left_out.contains(&property)
    }

    /// Removes these properties from `item`. Included relations are kept.
    pub fn apply(&self, item: &mut Map<String, Value>) {
        item.retain(|name, _| !self.leave_out(name));
    }
}
