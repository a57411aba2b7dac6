use serde_json::{Map, Value};

use super::list::Found;
use crate::{Error, Result};

/// The most items that one request reads.
pub(super) const MOST_READ: usize = 10_000;

/// The most bytes of items that one request reads: 64 queries of 1 MB (a `DynamoDB` limit), which
/// leaves most of the 10 s that a function has.
const MOST_BYTES_READ: usize = 64_000_000;

/// The most bytes of items that one request holds at a time. Decoded and on the wire they take
/// about three times as much of the 512 MB that a function has.
const MOST_BYTES_HELD: usize = 24_000_000;

/// Returns the error of a request that would read, or hold, more than it may.
pub(super) fn too_broad() -> Error {
    Error::FilterTooBroad(
        "This would read more than 10000 items, or 64 MB of them, or hold 24 MB. Narrow it by id, tenantId, \
         key, email, status or createdOn, or order it by createdOn and follow the link to the next page.",
    )
}

/// What one request has read so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    items: usize,
    bytes: usize,
}

impl Seen {
    /// Counts an item that was read.
    ///
    /// # Errors
    ///
    /// [`Error::FilterTooBroad`] if it is one too many.
    pub(super) fn add(&mut self, item: &Map<String, Value>) -> Result<()> {
        self.items += 1;
        self.bytes += weight(item);
        let within = self.items <= MOST_READ && self.bytes <= MOST_BYTES_READ;
        within.then_some(()).ok_or_else(too_broad)
    }
}

/// What one request keeps of what it reads.
#[derive(Debug)]
pub(super) struct Held<E> {
    found: Vec<Found<E>>,
    bytes: usize,
}

impl<E> Default for Held<E> {
    fn default() -> Self {
        Self { found: Vec::new(), bytes: 0 }
    }
}

impl<E> Held<E> {
    /// Keeps an item.
    ///
    /// # Errors
    ///
    /// [`Error::FilterTooBroad`] if that is more than one request may hold.
    pub(super) fn add(&mut self, found: Found<E>) -> Result<()> {
        self.bytes += weight(&found.wire);
        self.found.push(found);
        let within = self.found.len() <= MOST_READ && self.bytes <= MOST_BYTES_HELD;
        within.then_some(()).ok_or_else(too_broad)
    }

    /// Returns what was kept.
    pub(super) fn into_found(self) -> Vec<Found<E>> {
        self.found
    }
}

/// Returns about how many bytes an entity has.
pub(super) fn weight(members: &Map<String, Value>) -> usize {
    members.iter().map(|(name, value)| name.len() + weight_of(value)).sum()
}

fn weight_of(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 1,
        Value::Number(_) => 8,
        Value::String(text) => text.len() + 1,
        Value::Array(items) => items.iter().map(weight_of).sum::<usize>() + 3,
        Value::Object(members) => weight(members) + 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Resource;

    fn fat(bytes: usize) -> Map<String, Value> {
        Map::from_iter([("a".to_owned(), Value::String("x".repeat(bytes)))])
    }

    #[test]
    fn a_request_reads_and_holds_so_many_items_and_so_many_bytes() {
        let adds = |item: &Map<String, Value>| {
            let mut seen = Seen::default();
            (0..=MOST_READ).take_while(|_| seen.add(item).is_ok()).count()
        };
        assert_eq!((adds(&fat(10)), adds(&fat(1_000_000))), (MOST_READ, 63));
        let resource: Resource = serde_json::from_value(serde_json::json!({
            "id": "019aad7e-9c01-7d0e-b1f0-55a1c2e4d7f8", "externalIdentifier": "x".repeat(1_000_000),
            "type": "bucket", "metadata": {}, "tenantId": "019aad7e-9c01-7d0e-b1f0-55a1c2e4d7f8",
            "createdOn": "2026-01-01T00:00:00.000Z", "modifiedOn": "2026-01-01T00:00:00.000Z",
            "createdBy": "a", "modifiedBy": "a", "deletedOn": null, "deletedBy": null,
        }))
        .unwrap();
        let found = Found::of(crate::store::Stored { item: resource, version: 1 }).unwrap();
        let mut held = Held::default();
        assert_eq!((0..100).take_while(|_| held.add(found.clone()).is_ok()).count(), 23);
    }
}
