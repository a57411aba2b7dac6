use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Key, Store, item::Attributes};
use crate::{Error, Result, domain::Timestamp};

/// How long it is known that a change was counted: longer than any retry or redrive of the stream,
/// whose records are kept for a day.
const KEPT: Duration = Duration::from_secs(14 * 24 * 3600);

/// The most changes of one transaction, which takes 100 writes (AWS limit) with the counters' own.
const AT_ONCE: usize = 50;

/// The number of a kind's items that are not deleted, among the numbers of its counter.
pub const TOTAL: &str = "total";

/// The number of tenants of the status of this number.
#[must_use]
pub fn of_status(status: impl std::fmt::Display) -> String {
    format!("status{status}")
}

/// What a change of one item does to the counts of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Which change: the item and the version that it made.
    pub change: String,
    /// The kind of item.
    pub kind: String,
    /// By how much each number changes.
    pub numbers: BTreeMap<String, i64>,
}

impl Store {
    /// The numbers of a kind's counter; about a second behind.
    ///
    /// # Errors
    ///
    /// Where they cannot be read.
    pub async fn counter(&self, kind: &str) -> Result<BTreeMap<String, u64>> {
        let item = self.attributes(Key::counter(kind)).await?.unwrap_or_default();
        Ok(numbers(item))
    }

    /// Counts each of `tallies` once, however often it comes and in whatever order.
    ///
    /// # Errors
    ///
    /// Where one of them cannot be written; those before it may have been counted.
    pub async fn count_changes(&self, tallies: &[Tally], now: Timestamp) -> Result<()> {
        // One change may be twice in a batch, and a transaction takes one write of an item.
        let mut seen = BTreeSet::new();
        let tallies: Vec<_> = tallies.iter().filter(|tally| seen.insert(&tally.change)).collect();
        for chunk in tallies.chunks(AT_ONCE) {
            match self.count_all(chunk, now).await {
                // One was counted before, and DynamoDB does not say whether others were.
                Err(Error::Stale) => {
                    for tally in chunk {
                        match self.count_all(std::slice::from_ref(tally), now).await {
                            Ok(()) | Err(Error::Stale) => {}
                            Err(error) => return Err(error),
                        }
                    }
                }
                counted => counted?,
            }
        }
        Ok(())
    }

    /// Counts all of `tallies`, or fails with [`Error::Stale`] where one was counted before.
    async fn count_all(&self, tallies: &[&Tally], now: Timestamp) -> Result<()> {
        let (mut writes, mut sums) = (self.transaction(), BTreeMap::new());
        for Tally { change, kind, numbers } in tallies {
            writes = writes.claim(Key::counted(change), counted(now), Error::Stale)?;
            let sum: &mut BTreeMap<String, i64> = sums.entry(kind).or_default();
            for (name, number) in numbers {
                *sum.entry(name.clone()).or_default() += number;
            }
        }
        for (kind, numbers) in sums {
            writes = writes.add(Key::counter(kind), &numbers)?;
        }
        writes.commit().await
    }
}

/// The numbers of a counter.
pub(super) fn numbers(item: Attributes) -> BTreeMap<String, u64> {
    let number = |(name, value): (String, AttributeValue)| {
        Some((name, value.as_n().ok()?.parse::<i64>().ok()?.try_into().unwrap_or(0)))
    };
    item.into_iter().filter_map(number).collect()
}

fn counted(now: Timestamp) -> Attributes {
    [
        ("entity".into(), AttributeValue::S("counted".into())),
        ("expiresAt".into(), AttributeValue::N((now + KEPT).seconds().to_string())),
    ]
    .into()
}
