use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// How long a tombstone is owed: no entry from before its write lives longer.
const OWED: Duration = Duration::from_secs(60);

/// Places that could not be given a tombstone, each with when that failed.
#[derive(Default)]
pub(super) struct Debts(Mutex<BTreeMap<String, Instant>>);

impl Debts {
    /// One more.
    pub(super) fn add(&self, name: &str, now: Instant) {
        let mut owed = self.lock();
        owed.retain(|_, since| now.duration_since(*since) < OWED);
        owed.insert(name.to_owned(), now);
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<(String, Instant)> {
        self.lock().iter().map(|(name, since)| (name.clone(), *since)).collect()
    }

    /// These are paid, but for those that were added again.
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
    fn a_debt_is_owed_until_it_is_paid_or_too_old_to_matter() {
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
