use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Time for which a tombstone is owed. No entry from before the write lives longer.
const OWED: Duration = Duration::from_secs(60);

/// Names whose tombstone could not be put, each with the time of the failure.
#[derive(Default)]
pub(super) struct Debts(Mutex<BTreeMap<String, Instant>>);

impl Debts {
    /// Adds a debt.
    pub(super) fn add(&self, name: &str, now: Instant) {
        let mut owed = self.lock();
        owed.retain(|_, since| now.duration_since(*since) < OWED);
        owed.insert(name.to_owned(), now);
    }

    /// Returns all debts.
    pub(super) fn all(&self) -> Vec<(String, Instant)> {
        self.lock().iter().map(|(name, since)| (name.clone(), *since)).collect()
    }

    /// Removes paid debts, except those that were added again since.
    pub(super) fn paid(&self, debts: &[(String, Instant)]) {
        let mut owed = self.lock();
        for (name, since) in debts {
            if owed.get(name) == Some(since) {
                owed.remove(name);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debt_is_kept_until_it_is_paid_or_expires() {
        let (debts, start) = (Debts::default(), Instant::now());
        debts.add("a", start);
        debts.add("b", start);
        let taken = debts.all();
        debts.add("b", start + Duration::from_secs(1));
        debts.paid(&taken);
        assert_eq!(debts.all(), [("b".to_owned(), start + Duration::from_secs(1))]);
        debts.add("c", start + OWED + Duration::from_secs(1));
        assert_eq!(debts.all(), [("c".to_owned(), start + OWED + Duration::from_secs(1))]);
    }
}
