use std::{collections::BTreeMap, time::Duration};

/// A histogram of durations that fits into counters of the table. Each bucket is a fifth wider than
/// the one before. The buckets cover one second to two months.
#[derive(Clone, Debug, Default)]
pub struct Histogram(BTreeMap<usize, u64>);

/// The prefix of a bucket's counter name.
const PREFIX: &str = "took";

/// The number of buckets.
const BUCKETS: usize = 86;

/// Returns the lower bound of each bucket in milliseconds. The first one is 0.
fn bounds() -> impl Iterator<Item = u64> {
    std::iter::once(0).chain(std::iter::successors(Some(1000), |bound| Some(bound * 6 / 5)))
}

impl Histogram {
    /// Returns the name of the counter for the duration `wait`.
    #[must_use]
    pub fn bucket(wait: Duration) -> String {
        let reached =
            bounds().take(BUCKETS).take_while(|bound| u128::from(*bound) <= wait.as_millis());
        format!("{PREFIX}{}", reached.count() - 1)
    }

    /// Adds `many` durations to the bucket with this counter `name`. Does nothing if `name` is not a
    /// bucket.
    pub fn add(&mut self, name: &str, many: u64) {
        let bucket = name.strip_prefix(PREFIX).and_then(|bucket| bucket.parse().ok());
        if let Some(bucket) = bucket {
            *self.0.entry(bucket).or_default() += many;
        }
    }

    /// Adds all durations of `others`.
    pub fn add_all(&mut self, others: &Self) {
        for (bucket, many) in &others.0 {
            *self.0.entry(*bucket).or_default() += many;
        }
    }

    /// Returns the number of durations.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.values().sum()
    }

    /// Returns the median to within a tenth, as the middle of its bucket, or `None` if there are no
    /// durations.
    #[must_use]
    pub fn median(&self) -> Option<Duration> {
        let (mut before, half) = (0, self.count().div_ceil(2));
        let (bucket, _) = self.0.iter().find(|(_, many)| {
            before += *many;
            before >= half
        })?;
        let mut edges = bounds().skip(*bucket);
        let (from, to) = (edges.next()?, edges.next()?);
        Some(Duration::from_millis(from.midpoint(to)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_accurate_to_a_tenth() {
        for millis in [1_000, 1_500, 4_000, 61_000, 3_599_999, 86_400_000, 2_592_000_000] {
            let mut histogram = Histogram::default();
            for (factor, many) in [(1, 3), (2, 1), (10, 2)] {
                histogram.add(&Histogram::bucket(Duration::from_millis(millis * factor / 2)), many);
            }
            assert_eq!(histogram.count(), 6);
            let median = histogram.median().unwrap().as_millis();
            let off = median.abs_diff(u128::from(millis / 2));
            assert!(millis < 2_000 || off * 10 <= u128::from(millis / 2), "{millis}: {median}");
        }
        assert_eq!(Histogram::default().median(), None);
    }

    #[test]
    fn every_duration_has_a_class_and_other_counters_are_ignored() {
        assert_eq!(Histogram::bucket(Duration::ZERO), "took0");
        assert_eq!(Histogram::bucket(Duration::MAX), "took85");
        let mut histogram = Histogram::default();
        histogram.add("onboarded", 3);
        histogram.add("tooks", 3);
        assert_eq!(histogram.count(), 0);
    }

    #[test]
    fn histograms_add_up() {
        let [mut one, mut other] = [Histogram::default(), Histogram::default()];
        one.add("took1", 2);
        other.add("took1", 3);
        other.add("took9", 4);
        one.add_all(&other);
        assert_eq!(one.0, BTreeMap::from([(1, 5), (9, 4)]));
    }
}
