use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Value};

use crate::{
    Store,
    table::{item::Attributes, key::Key},
};
use domain::{Currency, Error, Phase, Result};
use schema::Timestamp;

/// How long a counted change is remembered: longer than any retry or redrive of the stream, which
/// keeps its records for a day.
const KEPT: Duration = Duration::from_secs(14 * 24 * 3600);

/// Maximum number of changes in one transaction, which may have 100 writes (AWS limit) including
/// those of the counters.
const AT_ONCE: usize = 50;

/// Name of the number of a kind's items that are not deleted.
pub const TOTAL: &str = "total";

/// Returns the name of the number of tenants with this status.
#[must_use]
pub fn status_counter(status: impl std::fmt::Display) -> String {
    format!("status{status}")
}

/// Returns the name of the number of subscriptions in this phase.
#[must_use]
pub fn phase_counter(phase: Phase) -> String {
    format!("phase_{phase}")
}

/// Returns the name of the recurring revenue of a month in a currency, in its minor units.
#[must_use]
pub fn revenue_counter(currency: Currency) -> String {
    format!("{REVENUE}{}", currency.code())
}

/// The start of the names of recurring revenues.
pub(crate) const REVENUE: &str = "revenue";

/// Name of the daily number of cancelled subscriptions.
pub const CANCELLED: &str = "cancelled";

/// Name of the daily number of onboarded tenants.
pub const ONBOARDED: &str = "onboarded";

/// Returns the kind of counter that holds a month's daily numbers.
#[must_use]
pub fn month_kind(moment: Timestamp) -> String {
    format!("days-{}", part(moment, 0..7))
}

/// Returns the name of a daily `number` in the counter of its month.
#[must_use]
pub fn day_counter(moment: Timestamp, number: &str) -> String {
    format!("day{}{number}", part(moment, 8..10))
}

/// Returns a range of characters of a date such as `2026-11-24`.
pub(crate) fn part(moment: Timestamp, range: std::ops::Range<usize>) -> String {
    moment.to_string().get(range).unwrap_or_default().to_owned()
}

/// The effect of one change of an item on the counter of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterChange {
    /// Identifies the change: the item and the version that the change created.
    pub change: String,
    /// The kind of the item.
    pub kind: String,
    /// The amount to add to each number.
    pub numbers: BTreeMap<String, i64>,
}

impl Store {
    /// Returns the numbers of a kind's counter, about one second old.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the counter cannot be read.
    pub async fn counter(&self, kind: &str) -> Result<BTreeMap<String, u64>> {
        Ok(self.get(Key::counter(kind)).await?.map(numbers).unwrap_or_default())
    }

    /// Applies each of `changes` exactly once, in any order. Idempotent.
    ///
    /// # Errors
    ///
    /// An error if one of them cannot be written. Earlier ones may have been applied.
    pub async fn count_changes(&self, changes: &[CounterChange], now: Timestamp) -> Result<()> {
        // A batch may repeat a change, but a transaction allows only one write to an item.
        let mut seen = BTreeSet::new();
        let changes: Vec<_> = changes.iter().filter(|change| seen.insert(&change.change)).collect();
        for chunk in changes.chunks(AT_ONCE) {
            match self.count_all(chunk, now).await {
                // One was counted before, and DynamoDB does not report which others were.
                Err(Error::Stale) => {
                    for change in chunk {
                        match self.count_all(std::slice::from_ref(change), now).await {
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

    /// Applies all of `changes`, or fails with [`Error::Stale`] if one was applied before.
    async fn count_all(&self, changes: &[&CounterChange], now: Timestamp) -> Result<()> {
        let mut writes = self.transaction();
        for CounterChange { change, .. } in changes {
            writes = writes.claim(Key::counted(change), counted(now), Error::Stale)?;
        }
        for (kind, numbers) in sums(changes) {
            writes = writes.add(Key::counter(kind), &numbers)?;
        }
        writes.commit().await
    }
}

/// Returns the sum of each number, by kind.
fn sums<'c>(changes: &[&'c CounterChange]) -> BTreeMap<&'c str, BTreeMap<String, i64>> {
    let mut sums = BTreeMap::<_, BTreeMap<String, i64>>::new();
    for CounterChange { kind, numbers, .. } in changes {
        let of_kind = sums.entry(kind.as_str()).or_default();
        for (name, number) in numbers {
            let sum = of_kind.entry(name.clone()).or_default();
            *sum = sum.saturating_add(*number);
        }
    }
    sums
}

/// Returns the numbers of a counter.
pub(crate) fn numbers(item: Map<String, Value>) -> BTreeMap<String, u64> {
    let number =
        |(name, value): (String, Value)| Some((name, value.as_i64()?.try_into().unwrap_or(0)));
    item.into_iter().filter_map(number).collect()
}

fn counted(now: Timestamp) -> Attributes {
    [
        ("entity".into(), AttributeValue::S("counted".into())),
        ("expiresAt".into(), AttributeValue::N((now + KEPT).seconds().to_string())),
    ]
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_of_a_batch_stays_within_64_bits() {
        let change = |kind: &str, number| CounterChange {
            change: "x".to_owned(),
            kind: kind.to_owned(),
            numbers: [("revenueKWD".to_owned(), number)].into(),
        };
        let changes = [change("a", i64::MAX), change("a", 1), change("b", 2), change("b", -3)];
        let sums = sums(&changes.each_ref());
        assert_eq!([sums["a"]["revenueKWD"], sums["b"]["revenueKWD"]], [i64::MAX, -1]);
    }
}
