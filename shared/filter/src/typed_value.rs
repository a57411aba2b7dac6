use std::mem::discriminant;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::fmt::Hyphenated;

use super::{Kind, node::Node, position::Position};
use crate::Result;
use schema::{Day, Decimal, ascii_host};

/// A typed value of a condition or an item.
///
/// `null` is the greatest value, as in Postgres.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TypedValue {
    /// A boolean.
    Boolean(bool),
    /// An exact number or amount.
    Number(Decimal),
    /// A text, in lowercase if case is ignored.
    Text(String),
    /// A point in time.
    Time(Timestamp),
    /// A calendar day.
    Day(Day),
    /// An array or an object.
    Whole(Node),
    /// `null`.
    Null,
}

impl TypedValue {
    /// Parses `node` as a value of `kind` or `null`.
    pub(super) fn read(kind: Kind, node: &Node, at: &Position<'_>) -> Result<Self> {
        let is_null = match node {
            Node::Null => true,
            Node::Untyped(text) => text == "null",
            _ => false,
        };
        if is_null {
            return Ok(Self::Null);
        }
        Self::of_kind(kind, node).ok_or_else(|| at.error(format_args!("{} or null", kind.rule())))
    }

    /// Parses `node` as a value of `kind` that is not `null`.
    pub(super) fn read_some(kind: Kind, node: &Node, at: &Position<'_>) -> Result<Self> {
        match Self::read(kind, node, at) {
            Ok(Self::Null) | Err(_) => Err(at.error(kind.rule())),
            read => read,
        }
    }

    /// Converts an item's property of `kind`. A value of another type equals no value of a filter.
    pub(super) fn from_item(kind: Kind, value: Option<&Value>) -> Self {
        let node = match value {
            None | Some(Value::Null) => return Self::Null,
            Some(Value::String(text)) if kind == Kind::Text => return Self::Text(text.clone()),
            Some(Value::String(text)) if kind == Kind::Object => super::json::from_item(text),
            Some(value) => Node::from(value),
        };
        Self::of_kind(kind, &node).unwrap_or(Self::Whole(node))
    }

    fn of_kind(kind: Kind, node: &Node) -> Option<Self> {
        Some(match (kind, node) {
            (Kind::Text, _) => Self::Text(node.text()?.to_owned()),
            (Kind::Number | Kind::Money, Node::Number(number)) => Self::Number(number.clone()),
            (Kind::Number | Kind::Money, Node::Untyped(text)) | (Kind::Money, Node::Text(text)) => {
                Self::Number(text.parse().ok()?)
            }
            (Kind::Boolean, _) => Self::Boolean(node.boolean()?),
            (Kind::Time, _) => Self::Time(moment(node.text()?)?),
            (Kind::Day, _) => Self::Day(node.text()?.parse().ok()?),
            (Kind::Id, _) => Self::Text(node.text()?.parse::<Hyphenated>().ok()?.to_string()),
            (Kind::Email, _) => Self::Text(folded_email(node.text()?)),
            (Kind::Object, Node::Object(_)) | (Kind::List | Kind::Hosts, Node::List(_)) => {
                Self::Whole(node.to_kind(kind))
            }
            (Kind::Number | Kind::Money | Kind::Object | Kind::List | Kind::Hosts, _) => {
                return None;
            }
        })
    }

    /// Returns whether both values have the same type and are not `null`, and so can be compared.
    pub(super) fn compares_with(&self, other: &Self) -> bool {
        discriminant(self) == discriminant(other) && *self != Self::Null
    }

    /// Returns the value as JSON, or `None` if items cannot be looked up by it.
    pub(super) fn to_json(&self) -> Option<Value> {
        Some(match self {
            Self::Boolean(truth) => json!(truth),
            Self::Number(number) => json!(number.integer()?),
            Self::Text(text) => json!(text),
            Self::Time(moment) => json!(moment.to_string()),
            Self::Day(day) => json!(day),
            Self::Whole(_) | Self::Null => return None,
        })
    }
}

/// Parses a date-time with offset, or a date as midnight in UTC, as in JavaScript. The last hours of
/// the year 9999, which [`Timestamp`] does not reach, are its maximum.
fn moment(text: &str) -> Option<Timestamp> {
    let is_date = text.len() == "2026-11-23".len();
    let midnight = is_date.then(|| format!("{text}T00:00:00Z"));
    let moment = midnight.as_deref().unwrap_or(text).parse().ok();
    moment.or_else(|| text.parse::<Day>().ok().map(|_| Timestamp::MAX))
}

/// Returns an email address in the form in which addresses are compared.
fn folded_email(text: &str) -> String {
    let Some((local, host)) = text.rsplit_once('@') else { return text.to_ascii_lowercase() };
    format!("{}@{}", local.to_ascii_lowercase(), folded_host(host))
}

/// Returns a host name in the form in which host names are compared.
pub(super) fn folded_host(name: &str) -> String {
    ascii_host(name).map_or_else(|| name.to_ascii_lowercase(), Into::into)
}
