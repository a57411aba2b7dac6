use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use redis::{Cmd, cmd};
use tokio::time::Instant;
use uuid::Uuid;

/// Lifetime of a tombstone, in seconds.
const TOMBSTONE: u32 = 10;

/// Time for which a tombstone is owed. No entry from before the write lives longer.
const OWED: Duration = Duration::from_secs(60);

/// Returns the command that puts a unique tombstone at `name`.
pub(super) fn tombstone(name: &str) -> Cmd {
    let mut put = cmd("SET");
    put.arg(name).arg(format!("gone {}", Uuid::now_v7())).arg("EX").arg(TOMBSTONE);
    put
}

/// Names whose tombstone could not be put, each with the time of the failure.
#[derive(Default)]
pub(super) struct OwedTombstones(Mutex<BTreeMap<String, Instant>>);

impl OwedTombstones {
    /// Adds a tombstone.
    pub(super) fn add(&self, name: &str, now: Instant) {
        let mut owed = self.lock();
        owed.retain(|_, since| now.duration_since(*since) < OWED);
        owed.insert(name.to_owned(), now);
    }

    /// Returns all owed tombstones.
    pub(super) fn all(&self) -> Vec<(String, Instant)> {
        self.lock().iter().map(|(name, since)| (name.clone(), *since)).collect()
    }

    /// Removes the tombstones in `put`, except those that were added again since.
    pub(super) fn remove(&self, put: &[(String, Instant)]) {
        let mut owed = self.lock();
        for (name, since) in put {
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
    fn an_owed_tombstone_is_kept_until_it_is_put_or_expires() {
        let (owed, start) = (OwedTombstones::default(), Instant::now());
        owed.add("a", start);
        owed.add("b", start);
        let taken = owed.all();
        owed.add("b", start + Duration::from_secs(1));
        owed.remove(&taken);
        assert_eq!(owed.all(), [("b".to_owned(), start + Duration::from_secs(1))]);
        owed.add("c", start + OWED + Duration::from_secs(1));
        assert_eq!(owed.all(), [("c".to_owned(), start + OWED + Duration::from_secs(1))]);
    }

    #[test]
    fn every_tombstone_is_unique() {
        let [one, other] = [tombstone("a"), tombstone("a")].map(|cmd| cmd.get_packed_command());
        assert_ne!(one, other);
    }
}
