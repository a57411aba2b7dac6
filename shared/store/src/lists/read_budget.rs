use serde_json::{Map, Value};

use crate::lists::found::Found;
use domain::{Error, Result};

/// Maximum number of items that one request reads.
pub(crate) const MOST_READ: usize = 10_000;

/// Maximum number of bytes of items that one request reads: 64 queries of 1 MB (a DynamoDB limit),
/// which takes a small part of a function's 10 s.
const MOST_BYTES_READ: usize = 64_000_000;

/// Maximum number of bytes of items that one request holds at a time. Decoded and in wire format,
/// they take about three times as much of a function's 512 MB.
const MOST_BYTES_HELD: usize = 24_000_000;

/// Returns the error for a request that exceeds a limit.
pub(crate) fn too_broad() -> Error {
    Error::FilterTooBroad(
        "The filter would read more than 10,000 items or 64 MB, or hold more than 24 MB. Narrow `where` by id, \
         tenantId, key, email or status, or order by createdOn and follow the link to the next page.",
    )
}

/// The items and bytes that one request has read so far.
#[derive(Debug, Default)]
pub(crate) struct ReadBudget {
    items: usize,
    bytes: usize,
}

impl ReadBudget {
    /// Counts an item that was read.
    ///
    /// # Errors
    ///
    /// [`Error::FilterTooBroad`] if the limit is exceeded.
    pub(crate) fn add(&mut self, item: &Map<String, Value>) -> Result<()> {
        self.items += 1;
        self.bytes += weight(item);
        let within = self.items <= MOST_READ && self.bytes <= MOST_BYTES_READ;
        within.then_some(()).ok_or_else(too_broad)
    }
}

/// The items that one request holds.
#[derive(Debug)]
pub(crate) struct Collected<E> {
    found: Vec<Found<E>>,
    bytes: usize,
}

impl<E> Default for Collected<E> {
    fn default() -> Self {
        Self { found: Vec::new(), bytes: 0 }
    }
}

impl<E> Collected<E> {
    /// Adds an item.
    ///
    /// # Errors
    ///
    /// [`Error::FilterTooBroad`] if the limit is exceeded.
    pub(crate) fn add(&mut self, found: Found<E>) -> Result<()> {
        self.bytes += weight(&found.wire);
        self.found.push(found);
        let within = self.found.len() <= MOST_READ && self.bytes <= MOST_BYTES_HELD;
        within.then_some(()).ok_or_else(too_broad)
    }

    /// Returns the items.
    pub(crate) fn into_found(self) -> Vec<Found<E>> {
        self.found
    }
}

/// Estimates the size of an entity in bytes.
pub(crate) fn weight(members: &Map<String, Value>) -> usize {
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
    use domain::Resource;

    fn fat(bytes: usize) -> Map<String, Value> {
        Map::from_iter([("a".to_owned(), Value::String("x".repeat(bytes)))])
    }

    #[test]
    fn a_request_is_limited_in_items_and_bytes() {
        let adds = |item: &Map<String, Value>| {
            let mut budget = ReadBudget::default();
            (0..=MOST_READ).take_while(|_| budget.add(item).is_ok()).count()
        };
        assert_eq!((adds(&fat(10)), adds(&fat(1_000_000))), (MOST_READ, 63));
        let resource: Resource = serde_json::from_value(serde_json::json!({
            "id": "019aad7e-9c01-7d0e-b1f0-55a1c2e4d7f8", "externalIdentifier": "x".repeat(1_000_000),
            "type": "bucket", "metadata": {}, "tenantId": "019aad7e-9c01-7d0e-b1f0-55a1c2e4d7f8",
            "createdOn": "2026-01-01T00:00:00.000Z", "modifiedOn": "2026-01-01T00:00:00.000Z",
            "createdBy": "a", "modifiedBy": "a", "deletedOn": null, "deletedBy": null,
        }))
        .unwrap();
        let found = Found::of(crate::Stored { item: resource, version: 1 }).unwrap();
        let mut collected = Collected::default();
        assert_eq!((0..100).take_while(|_| collected.add(found.clone()).is_ok()).count(), 23);
    }
}
