//! What a list is asked for: which items, in which order, how many, with what (CONTRACT §8).
//!
//! A [`Filter`] is read from a query string, in JSON or in brackets, against the [`Schema`] of the
//! entity: what the schema does not know is refused, so that a typo never selects everything. It is
//! evaluated over items in their form on the wire; the store may narrow what it reads by
//! [`Where::equals`], which never changes what is found.
//!
//! | file | what it reads |
//! |---|---|
//! | `query`, `json`, `brackets` | the query string, to one tree |
//! | `condition`, `operators`, `datum`, `pattern` | `where`, with values of the property's type |
//! | `order`, `fields`, `include` | the members of those names |
//! | `evaluate` | items |
//!
//! # Semantics
//!
//! Those of LoopBack 4 over Postgres, and where that has no answer or a surprising one:
//!
//! * `null` passes only a test that speaks of it: equality with `null`, `exists: false`, an `inq`
//!   that lists it. No comparison, no `neq` of a value, no `nin`, `nlike` or `nilike` finds it.
//!   `neq: null` finds what is not `null`. An absent property is `null`.
//! * Several operators of one property must all hold. `and` and `or` must not be empty, nor hold an
//!   empty condition; an empty `inq` finds nothing and an empty `nin` everything that is not `null`.
//! * Numbers and amounts compare exactly, by their digits; times as moments, and a date is midnight
//!   in UTC; texts by the code points of their characters, with case. Ids, e-mail addresses and
//!   host names compare, and match, without case.
//! * `like` matches the whole text: `%` is any text, `_` any character, `\` takes the next as it is.
//!   `ilike` ignores case. `regexp` searches, is written `/pattern/flags` (g, i, m, s, u) or
//!   without slashes, and has neither look-around nor back-references: it runs in linear time.
//! * `contains` is for arrays, as in Postgres: all of the given values are among the items. An
//!   array is equal to one with the same items in the same order. An object is compared by `eq`
//!   and `neq`, whole; without an operator it would read as one.
//! * In order, `null` is the greatest value. Ties follow the id.
//! * In brackets a value becomes what its property demands: `null` is `null`, a number is one, and
//!   what is within an array or an object is text. An empty array cannot be written.
//! * A JSON value of another type is refused, not converted; an amount may be a string of digits.
//!
//! # Bounds
//!
//! A query of 128 KiB, 32 levels of nesting, 1,000 conditions, 1,000 values in a list, 10 patterns
//! of 1,000 characters and 256 KiB compiled, 3 levels of inclusion. What is more is refused.

mod brackets;
mod condition;
mod datum;
pub mod entities;
mod evaluate;
mod fields;
mod include;
mod json;
mod node;
mod operators;
mod order;
mod pattern;
mod place;
mod query;
mod schema;
#[cfg(test)]
mod tests;
mod wire;

use serde_json::{Map, Value};

pub use condition::Where;
pub use fields::Fields;
pub use include::Include;
pub use order::{Direction, Order, OrderBy};
pub use query::{PageQuery, with_cursor};
pub use schema::{Kind, Relation, Schema};
pub use wire::Wire;

use crate::Result;
use {node::Node, place::Place};

/// How deep a filter may be nested, in objects and arrays.
const DEEPEST: usize = 32;

/// The most that one page holds.
const LARGEST_PAGE: u16 = 1000;

/// How many a page holds where no `limit` is given.
const USUAL_PAGE: u16 = 100;

/// What a list is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// Which items.
    pub conditions: Where,
    /// In which order.
    pub order: Order,
    /// How many at most, where it was said.
    pub limit: Option<u16>,
    /// How many to leave out at the start. Zero with a cursor: the first page left them out.
    pub skip: u32,
    /// Which properties of each.
    pub fields: Fields,
    /// With what else in each.
    pub include: Vec<Include>,
    /// Where to begin, as the link to this page said.
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
    /// Reads a filter, or the scope of an inclusion that is `depth` deep.
    fn read(node: &Node, schema: &'static Schema, depth: usize, at: &Place<'_>) -> Result<Self> {
        let members = node.object().ok_or_else(|| at.refuse("must be an object"))?;
        let mut filter = Self::default();
        for (name, node) in members {
            let below = at.below(name);
            match name.as_str() {
                "where" => filter.conditions = Where::read(node, schema, &below)?,
                "order" => filter.order = Order::read(node, schema, &below)?,
                "limit" => filter.limit = Some(limit(node, &below)?),
                "offset" if members.contains_key("skip") => {
                    return Err(below.refuse("is an alias of skip. Use only one of them."));
                }
                "skip" | "offset" => {
                    let rule = || below.refuse("must be a whole number from 0 to 4294967295");
                    filter.skip = node.integer().ok_or_else(rule)?;
                }
                "fields" => filter.fields = Fields::read(node, schema, &below)?,
                "include" => filter.include = Include::read(node, schema, depth, &below)?,
                _ => {
                    let known = "where, order, limit, skip, offset, fields, include";
                    return Err(below
                        .refuse(format_args!("is not a member of a filter (supported: {known})")));
                }
            }
        }
        Ok(filter)
    }

    /// How many items a page holds.
    #[must_use]
    pub fn page_size(&self) -> u16 {
        self.limit.unwrap_or(USUAL_PAGE)
    }

    /// How many to leave out at the start.
    #[must_use]
    pub fn skipped(&self) -> usize {
        usize::try_from(self.skip).unwrap_or(usize::MAX)
    }

    /// Returns the permissions that its inclusions need, at every depth: of each set any one.
    pub fn views(&self) -> impl Iterator<Item = &'static [u16]> {
        let mut views = Vec::new();
        let mut left: Vec<_> = self.include.iter().collect();
        while let Some(Include { view, scope, .. }) = left.pop() {
            views.push(*view);
            left.extend(scope.iter().flat_map(|scope| &scope.include));
        }
        views.into_iter().filter(|view| !view.is_empty())
    }

    /// Those of `items` that are asked for, in order.
    #[must_use]
    pub fn ordered<T: Filtered>(&self, mut items: Vec<T>) -> Vec<T> {
        items.retain(|item| self.conditions.matches(item.members()));
        self.order.sort(&mut items);
        items
    }

    /// Those of `items` that are asked for, in order, from `skip` on, at most `limit` where it is
    /// given (an inclusion without one is whole); uncut, so that what they include can be found.
    #[must_use]
    pub fn select<T: Filtered>(&self, items: Vec<T>) -> Vec<T> {
        let limit = self.limit.map_or(usize::MAX, usize::from);
        self.ordered(items).into_iter().skip(self.skipped()).take(limit).collect()
    }
}

/// Something that has an entity's form on the wire.
pub trait Filtered {
    /// That form.
    fn members(&self) -> &Map<String, Value>;
}

impl Filtered for Map<String, Value> {
    fn members(&self) -> &Map<String, Value> {
        self
    }
}

fn limit(node: &Node, at: &Place<'_>) -> Result<u16> {
    let given = node.integer().and_then(|limit| u16::try_from(limit).ok());
    let within = given.filter(|limit| (1..=LARGEST_PAGE).contains(limit));
    within.ok_or_else(|| at.refuse(format_args!("must be a whole number from 1 to {LARGEST_PAGE}")))
}
