use std::collections::BTreeMap;

use serde_json::Value;

use super::Decimal;

/// A value as a client wrote it, in JSON or in brackets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Node {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number, with every digit it was written with.
    Number(Decimal),
    /// A string of JSON.
    Text(String),
    /// A value of the bracket form, which becomes what its place demands.
    Loose(String),
    /// An array.
    List(Vec<Node>),
    /// An object.
    Object(BTreeMap<String, Node>),
}

impl Node {
    /// The whole number here.
    pub(super) fn integer(&self) -> Option<u32> {
        match self {
            Self::Number(number) => number.integer(),
            Self::Loose(text) => text.parse::<Decimal>().ok()?.integer(),
            _ => None,
        }
    }

    /// The truth here.
    pub(super) fn boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(truth) => Some(*truth),
            Self::Loose(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// The text here.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Loose(text) => Some(text),
            _ => None,
        }
    }

    /// The members of the object here.
    pub(super) fn object(&self) -> Option<&BTreeMap<String, Self>> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The items of the array here.
    pub(super) fn list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// This, where what the bracket form left open is text.
    pub(super) fn settled(&self) -> Self {
        match self {
            Self::Loose(text) => Self::Text(text.clone()),
            Self::List(items) => Self::List(items.iter().map(Self::settled).collect()),
            Self::Object(members) => {
                let settled = members.iter().map(|(name, node)| (name.clone(), node.settled()));
                Self::Object(settled.collect())
            }
            Self::Null | Self::Boolean(_) | Self::Number(_) | Self::Text(_) => self.clone(),
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
