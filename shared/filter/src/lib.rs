//! List filters: conditions, order, paging, fields and inclusions.
//!
//! A [`Filter`] is parsed from a query string, in JSON or in bracket notation. It is checked
//! against the [`Schema`] of the entity: unknown names in it are refused, so that a typo never
//! selects everything. Other parameters of a query are ignored, except in a bulk update. Filters are
//! evaluated over entities as they are on the wire. The store may use [`Where::equals`] to read
//! fewer items, which never changes the result.
//!
//! | file | what it parses or evaluates |
//! |---|---|
//! | `query`, `json`, `brackets` | the query string, into one tree |
//! | `condition`, `operators`, `typed_value`, `pattern` | `where`, with typed values |
//! | `order`, `fields`, `include` | the members with these names |
//! | `evaluate` | conditions, over entities |
//!
//! # Semantics
//!
//! Filters behave as in LoopBack 4 with Postgres. These rules define the details, and differ only
//! where that behaviour is undefined or surprising:
//!
//! * `null` only matches equality with `null`, `exists: false` and an `inq` that lists `null`. It
//!   never matches a comparison, `neq` with a value, `nin`, `nlike` or `nilike`. `neq: null`
//!   matches every value except `null`. An absent property is `null`.
//! * Several operators of one property must all match. An empty `and` or `or`, and an empty condition
//!   in one, is ignored; a bulk update refuses it. An empty `inq` matches nothing; an empty `nin`
//!   matches everything except `null`.
//! * Numbers and amounts are compared exactly, by their digits. Times are compared as points in
//!   time; a date is midnight in UTC. Text is compared by code point and is case-sensitive, except
//!   for IDs, email addresses and host names.
//! * `like` matches the whole text: `%` is any text, `_` is any character, and `\` escapes the next
//!   character. `ilike` ignores case. `regexp` matches anywhere in the text. It is written as
//!   `/pattern/flags` (g, i, m, s, u) or without slashes. It supports neither look-around nor
//!   back-references, so that it runs in linear time.
//! * `contains` is for arrays, as in Postgres: all given values must be in the array. Arrays are
//!   equal if they have the same items in the same order. Objects are compared as a whole, and
//!   only with an operator such as `eq`: an object without one is read as operators.
//! * When sorting, `null` is the greatest value. Ties are sorted by ID.
//! * In bracket notation, a value gets the type of its property, and `null` means `null`. Values
//!   inside arrays and objects are text. An empty array cannot be written. The values of a repeated
//!   name are an array, and so is a single value of an operator that takes an array.
//! * A JSON value of the wrong type is refused and not converted, except that an amount may be a
//!   string of digits.
//!
//! # Bounds
//!
//! A query may have at most 128 KiB, 32 levels of nesting, 1,000 conditions, 1,000 values in a
//! list, 10 patterns of 1,000 characters (256 KiB compiled) and 3 levels of inclusions. Larger
//! queries are refused.

mod brackets;
mod condition;
mod evaluate;
mod fields;
mod include;
mod json;
mod node;
mod operators;
mod order;
mod pattern;
mod position;
mod query;
mod schema;
#[cfg(test)]
mod tests;
mod typed_value;
mod wire;

use serde_json::{Map, Value};

pub use condition::Where;
pub use fields::Fields;
pub use include::Include;
pub use order::{Direction, Order};
pub use query::{PageQuery, SearchQuery, with_cursor};
pub use schema::{Kind, Relation, Schema};
pub use wire::Wire;

use {node::Node, position::Position};

/// A query parameter that breaks its rule; names both.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadParameter(pub String);

/// A result whose error is a [`BadParameter`].
pub type Result<T, E = BadParameter> = std::result::Result<T, E>;

/// The maximum nesting of objects and arrays in a filter.
const MAX_DEPTH: usize = 32;

/// The maximum number of items on a page.
const MAX_PAGE_SIZE: u16 = 1000;

/// The number of items on a page if no `limit` is given.
const DEFAULT_PAGE_SIZE: u16 = 100;

/// The filter of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// The conditions that items must meet.
    pub conditions: Where,
    /// The order of the items.
    pub order: Order,
    /// The maximum number of items, if given.
    pub limit: Option<u16>,
    /// The number of items to skip. 0 with a cursor, because the first page already skipped them.
    pub skip: u32,
    /// The properties to return.
    pub fields: Fields,
    /// The relations to include in each item.
    pub include: Vec<Include>,
    /// The cursor from the link to this page.
    pub cursor: Option<String>,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            conditions: Where::default(),
            order: Order::newest_first(),
            limit: None,
            skip: 0,
            fields: Fields::default(),
            include: Vec::new(),
            cursor: None,
        }
    }
}

impl Filter {
    /// Parses a filter, or the scope of an inclusion at this `depth`.
    fn read(node: &Node, schema: &'static Schema, depth: usize, at: &Position<'_>) -> Result<Self> {
        let members = node.object().ok_or_else(|| at.error("must be an object"))?;
        let mut filter = Self::default();
        for (name, node) in members {
            let below = at.member(name);
            match name.as_str() {
                "where" => filter.conditions = Where::read(node, schema, &below)?,
                "order" => filter.order = Order::read(node, schema, &below)?,
                "limit" => filter.limit = Some(limit(node, MAX_PAGE_SIZE, &below)?),
                "offset" if members.contains_key("skip") => {
                    return Err(below.error("is an alias of skip. Use only one of them."));
                }
                "skip" | "offset" => {
                    let rule = || below.error("must be a whole number from 0 to 4294967295");
                    filter.skip = node.integer().ok_or_else(rule)?;
                }
                "fields" => filter.fields = Fields::read(node, schema, &below)?,
                "include" => filter.include = Include::read(node, schema, depth, &below)?,
                _ => {
                    let known = "where, order, limit, skip, offset, fields, include";
                    return Err(below
                        .error(format_args!("is not a member of a filter (supported: {known})")));
                }
            }
        }
        Ok(filter)
    }

    /// Returns the number of items on a page.
    #[must_use]
    pub fn page_size(&self) -> u16 {
        self.limit.unwrap_or(DEFAULT_PAGE_SIZE)
    }

    /// Returns the number of items to skip.
    #[must_use]
    pub fn skipped(&self) -> usize {
        usize::try_from(self.skip).unwrap_or(usize::MAX)
    }

    /// Whether the filter neither selects fields nor includes relations.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.include.is_empty() && self.fields == Fields::default()
    }

    /// Returns the permissions that the inclusions require, at every depth. Of each set, any one is
    /// enough.
    pub fn views(&self) -> impl Iterator<Item = &'static [u16]> {
        let mut views = Vec::new();
        let mut left: Vec<_> = self.include.iter().collect();
        while let Some(Include { view, scope, .. }) = left.pop() {
            views.push(*view);
            left.extend(scope.iter().flat_map(|scope| &scope.include));
        }
        views.into_iter().filter(|view| !view.is_empty())
    }

    /// Returns the `items` that meet the conditions, in order.
    #[must_use]
    pub fn ordered<T: WireEntity>(&self, mut items: Vec<T>) -> Vec<T> {
        items.retain(|item| self.conditions.matches(item.members()));
        self.order.sort(&mut items);
        items
    }

    /// Returns the `items` that meet the conditions, in order, after `skip` and `limit`. Without
    /// `limit` it returns all, as for inclusions. Items keep all properties, which are needed to
    /// find their relations.
    #[must_use]
    pub fn select<T: WireEntity>(&self, items: Vec<T>) -> Vec<T> {
        let limit = self.limit.map_or(usize::MAX, usize::from);
        self.ordered(items).into_iter().skip(self.skipped()).take(limit).collect()
    }
}

/// An entity with its members on the wire.
pub trait WireEntity {
    /// Returns the entity's members on the wire.
    fn members(&self) -> &Map<String, Value>;
}

impl WireEntity for Map<String, Value> {
    fn members(&self) -> &Map<String, Value> {
        self
    }
}

fn limit(node: &Node, most: u16, at: &Position<'_>) -> Result<u16> {
    let given = node.integer().and_then(|limit| u16::try_from(limit).ok());
    let within = given.filter(|limit| (1..=most).contains(limit));
    within.ok_or_else(|| at.error(format_args!("must be a whole number from 1 to {most}")))
}
