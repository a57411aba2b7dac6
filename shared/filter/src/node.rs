use std::collections::BTreeMap;

use serde_json::Value;

use super::{Kind, typed_value::folded_host};
use schema::Decimal;

/// A value from a client, in JSON or bracket notation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Node {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// An exact number.
    Number(Decimal),
    /// A JSON string.
    Text(String),
    /// A value in bracket notation, whose type depends on its property.
    Untyped(String),
    /// An array.
    List(Vec<Node>),
    /// An object.
    Object(BTreeMap<String, Node>),
}

impl Node {
    /// Returns the integer, or `None` if the value is not one.
    pub(super) fn integer(&self) -> Option<u32> {
        match self {
            Self::Number(number) => number.integer(),
            Self::Untyped(text) => text.parse::<Decimal>().ok()?.integer(),
            _ => None,
        }
    }

    /// Returns the boolean, or `None` if the value is not one.
    pub(super) fn boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(truth) => Some(*truth),
            Self::Untyped(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// Returns the text, or `None` if the value is not text.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Untyped(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the members, or `None` if the value is not an object.
    pub(super) fn object(&self) -> Option<&BTreeMap<String, Self>> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// Returns the items, or `None` if the value is not an array.
    pub(super) fn list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the items, or the value itself if it is in bracket notation. A parameter that is
    /// repeated for each item cannot show that its only item is in a list.
    pub(super) fn items(&self) -> Option<&[Self]> {
        match self {
            Self::Untyped(_) => Some(std::slice::from_ref(self)),
            _ => self.list(),
        }
    }

    /// Converts the value to `kind`: untyped values become text, and host names get the form in which
    /// they are compared.
    pub(super) fn to_kind(&self, kind: Kind) -> Self {
        match self {
            Self::Text(text) | Self::Untyped(text) if kind == Kind::Hosts => {
                Self::Text(folded_host(text))
            }
            Self::Text(text) | Self::Untyped(text) => Self::Text(text.clone()),
            Self::List(items) => Self::List(items.iter().map(|item| item.to_kind(kind)).collect()),
            Self::Object(members) => {
                let settled = |(name, node): (&String, &Self)| (name.clone(), node.to_kind(kind));
                Self::Object(members.iter().map(settled).collect())
            }
            Self::Null | Self::Boolean(_) | Self::Number(_) => self.clone(),
        }
    }
}

impl From<&Value> for Node {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Boolean(*truth),
            Value::Number(number) => {
                let text = number.to_string();
                text.parse().map_or(Self::Text(text), Self::Number)
            }
            Value::String(text) => Self::Text(text.clone()),
            Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Object(members) => {
                let nodes = members.iter().map(|(name, value)| (name.clone(), Self::from(value)));
                Self::Object(nodes.collect())
            }
        }
    }
}
