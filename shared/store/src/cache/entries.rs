use redis::pipe;
use serde::{Serialize, de::DeserializeOwned};

use super::{Cache, connection::Connected};
use domain::{TenantId, TenantKey};

/// Time limit for filling an entry after it was looked up, in microseconds: less than the lifetime
/// of a tombstone, more than the SDK spends on reading the table.
const TOO_LATE: u64 = 9_000_000;

/// Identifies a cached value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum CacheKey<'a> {
    /// The tenant with this ID.
    Tenant(TenantId),
    /// The ID of the tenant that owns this key.
    TenantKey(&'a TenantKey),
}

impl CacheKey<'_> {
    /// Returns the lifetime in seconds.
    fn lives(self) -> u32 {
        match self {
            Self::Tenant(_) => 30,
            Self::TenantKey(_) => 3600,
        }
    }
}

/// The result of a lookup.
pub(crate) enum Lookup<T> {
    /// The value is cached.
    Found(T),
    /// The value is not cached.
    Missing(Miss),
}

/// A cache miss, with everything needed to fill the entry safely.
pub(crate) struct Miss {
    name: String,
    lives: u32,
    connected: Connected,
    found: Vec<u8>,
    /// Time of the lookup, in microseconds of Redis' clock.
    at: u64,
}

impl Cache {
    /// Looks up a value. Returns `None` if the cache does not respond.
    pub(crate) async fn lookup<T: DeserializeOwned>(&self, key: CacheKey<'_>) -> Option<Lookup<T>> {
        let name = &self.name_of(key);
        let answer = self.0.connection.run(|connected| async move {
            // Read the time first, so that it is never later than the lookup.
            let mut lookup = pipe();
            lookup.cmd("TIME").cmd("GET").arg(name);
            let (time, found) = lookup.query_async(&mut connected.redis.clone()).await?;
            Ok((connected, time, found))
        });
        let (connected, (seconds, micros), found): (_, (u64, u64), Option<Vec<u8>>) =
            answer.await?;
        let found = found.unwrap_or_default();
        Some(match value(&found, connected.since) {
            Some(value) => Lookup::Found(value),
            None => {
                let (name, at) = (name.clone(), seconds * 1_000_000 + micros);
                Lookup::Missing(Miss { name, lives: key.lives(), connected, found, at })
            }
        })
    }

    /// Caches a value that was read after `miss` was found. Does nothing if the entry has changed
    /// since.
    pub(crate) async fn fill<T: Serialize>(&self, miss: Miss, value: &T) {
        let Ok(value) = serde_json::to_vec(value) else { return };
        let mut fill = self.0.fill.key(miss.name);
        fill.arg(miss.found).arg(miss.at).arg(value).arg(miss.lives).arg(TOO_LATE);
        let mut redis = miss.connected.redis.clone();
        let _: Option<bool> =
            self.0.connection.run_on(&miss.connected, fill.invoke_async(&mut redis)).await;
    }

    /// Invalidates a value, including concurrent reads that are not cached yet.
    pub(crate) async fn invalidate(&self, key: CacheKey<'_>) {
        self.0.connection.put_tombstone(&self.name_of(key)).await;
    }

    fn name_of(&self, key: CacheKey<'_>) -> String {
        match key {
            CacheKey::Tenant(id) => self.name(format_args!("tenant:{id}")),
            CacheKey::TenantKey(key) => self.name(format_args!("tenant-key:{key}")),
        }
    }
}

/// Returns the value of an entry. Returns `None` if the entry is invalid or older than the Redis
/// process.
fn value<T: DeserializeOwned>(entry: &[u8], since: u64) -> Option<T> {
    let end = entry.iter().position(|byte| *byte == b' ')?;
    let (filled, value) = entry.split_at(end);
    let filled: u64 = str::from_utf8(filled).ok()?.parse().ok()?;
    if filled <= since {
        return None;
    }
    serde_json::from_slice(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_older_than_the_process_or_malformed_are_ignored() {
        let read = |entry: &str| value::<Vec<u8>>(entry.as_bytes(), 100);
        assert_eq!(read("101 [1,2]"), Some(vec![1, 2]));
        for nothing in ["100 [1,2]", "gone 019", "", "101", "101 {}", "-1 []", "101 [1"] {
            assert_eq!(read(nothing), None, "{nothing}");
        }
    }
}
