use std::cmp::Reverse;

use serde_json::{Map, Value};

use super::{
    Kind, Schema, WireEntity,
    node::Node,
    position::{Position, Truncated},
    typed_value::TypedValue,
};
use crate::Result;

/// The properties that items are sorted by, the most significant first.
///
/// Ties are sorted by ID in the direction of the last property, so that the order is the same on
/// every call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order(Vec<OrderBy>);

/// A property that items are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct OrderBy {
    property: &'static str,
    kind: Kind,
    direction: Direction,
}

/// The direction of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The least value comes first, and `null` comes last, as in Postgres.
    Ascending,
    /// The greatest value comes first, after `null`, as in Postgres.
    Descending,
}

impl Order {
    /// Returns the default order, `createdOn DESC`.
    #[must_use]
    pub fn newest_first() -> Self {
        let (kind, direction) = (Kind::Time, Direction::Descending);
        Self(vec![OrderBy { property: "createdOn", kind, direction }])
    }

    /// Returns the direction if the only property is `createdOn`, which is the order of an index.
    /// Otherwise returns `None`.
    #[must_use]
    pub fn by_creation(&self) -> Option<Direction> {
        match self.0.as_slice() {
            [OrderBy { property: "createdOn", direction, .. }] => Some(*direction),
            _ => None,
        }
    }

    /// Parses a string such as `"key ASC"`, or an array of such strings.
    pub(super) fn read(node: &Node, schema: &'static Schema, at: &Position<'_>) -> Result<Self> {
        let Some(items) = node.list() else { return Ok(Self(vec![part(node, schema, at)?])) };
        let mut parts: Vec<OrderBy> = Vec::new();
        for (position, item) in items.iter().enumerate() {
            let name = position.to_string();
            let below = at.member(&name);
            let part = part(item, schema, &below)?;
            if parts.iter().any(|earlier| earlier.property == part.property) {
                return Err(
                    below.error(format_args!("must not name {} more than once", part.property))
                );
            }
            parts.push(part);
        }
        Ok(if parts.is_empty() { Self::newest_first() } else { Self(parts) })
    }

    /// Sorts `items`.
    pub(super) fn sort<T: WireEntity>(&self, items: &mut [T]) {
        items.sort_by_cached_key(|item| self.rank(item.members()));
    }

    /// Returns whether `item` comes after the item with the sort values `last`, as returned by
    /// [`Order::sort_values`].
    #[must_use]
    pub fn is_after(&self, item: &impl WireEntity, last: &Map<String, Value>) -> bool {
        self.rank(item.members()) > self.rank(last)
    }

    /// Returns the values of `item` that determine its position in the order.
    #[must_use]
    pub fn sort_values(&self, item: &impl WireEntity) -> Map<String, Value> {
        let held = |part: OrderBy| {
            let value = item.members().get(part.property).cloned().unwrap_or_default();
            (part.property.to_owned(), value)
        };
        self.with_id().map(held).collect()
    }

    fn rank(&self, item: &Map<String, Value>) -> Vec<Rank> {
        let rank = |part: OrderBy| {
            let held = TypedValue::from_item(part.kind, item.get(part.property));
            match part.direction {
                Direction::Ascending => Rank::Up(held),
                Direction::Descending => Rank::Down(Reverse(held)),
            }
        };
        self.with_id().map(rank).collect()
    }

    /// Returns the properties to sort by, followed by the ID.
    fn with_id(&self) -> impl Iterator<Item = OrderBy> {
        let last = self.0.last().map_or(Direction::Descending, |part| part.direction);
        let id = OrderBy { property: "id", kind: Kind::Id, direction: last };
        self.0.iter().copied().chain([id])
    }
}

/// A value that sorts in its direction.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Up(TypedValue),
    Down(Reverse<TypedValue>),
}

fn part(node: &Node, schema: &'static Schema, at: &Position<'_>) -> Result<OrderBy> {
    let text = node.text().ok_or_else(|| at.error("must be a string"))?;
    let mut words = text.split_ascii_whitespace();
    let (name, direction) = match (words.next(), words.next(), words.next()) {
        (Some(name), None, None) => (name, Direction::Ascending),
        (Some(name), Some(word), None) if word.eq_ignore_ascii_case("asc") => {
            (name, Direction::Ascending)
        }
        (Some(name), Some(word), None) if word.eq_ignore_ascii_case("desc") => {
            (name, Direction::Descending)
        }
        _ => {
            let text = Truncated(text);
            let rule = format_args!("\"{text}\" is not a property with an optional ASC or DESC");
            return Err(at.error(rule));
        }
    };
    let (property, kind) = schema.property(name, &at.member(name))?;
    if !matches!(kind, Kind::Boolean) && !kind.is_ordered() {
        return Err(
            at.error(format_args!("{property} is {}, which can't be sorted by", kind.noun()))
        );
    }
    Ok(OrderBy { property, kind, direction })
}
