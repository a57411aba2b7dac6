use redis::{Cmd, cmd, pipe};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::{Cache, line::Connected};
use domain::{TenantId, TenantKey};

/// Lifetime of a tombstone, in seconds.
const TOMBSTONE: u32 = 10;
/// Time limit for filling an entry after it was looked up, in microseconds: less than the lifetime
/// of a tombstone, more than the SDK spends on reading the table.
const TOO_LATE: u64 = 9_000_000;

/// Identifies a cached value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Held<'a> {
    /// The tenant with this ID.
    Tenant(TenantId),
    /// The ID of the tenant that owns this key.
    TenantKey(&'a TenantKey),
}

impl Held<'_> {
    /// Returns the lifetime in seconds.
    fn lives(self) -> u32 {
        match self {
            Self::Tenant(_) => 30,
            Self::TenantKey(_) => 3600,
        }
    }
}

/// The result of a lookup.
pub(crate) enum Looked<T> {
    /// The value is cached.
    Found(T),
    /// The value is not cached.
    Missing(Gap),
}

/// A cache miss, with everything needed to fill the entry safely.
pub(crate) struct Gap {
    name: String,
    lives: u32,
    connected: Connected,
    found: Vec<u8>,
    /// Time of the lookup, in microseconds of Redis' clock.
    at: u64,
}

impl Cache {
    /// Looks up a value. Returns `None` if the cache does not respond.
    pub(crate) async fn look<T: DeserializeOwned>(&self, held: Held<'_>) -> Option<Looked<T>> {
        let name = &self.place(held);
        let asked = self.0.line.ask(|connected| async move {
            // Read the time first, so that it is never later than the lookup.
            let mut look = pipe();
            look.cmd("TIME").cmd("GET").arg(name);
            let (time, found) = look.query_async(&mut connected.redis.clone()).await?;
            Ok((connected, time, found))
        });
        let (connected, (seconds, micros), found): (_, (u64, u64), Option<Vec<u8>>) = asked.await?;
        let found = found.unwrap_or_default();
        Some(match value(&found, connected.since) {
            Some(value) => Looked::Found(value),
            None => {
                let (name, at) = (name.clone(), seconds * 1_000_000 + micros);
                Looked::Missing(Gap { name, lives: held.lives(), connected, found, at })
            }
        })
    }

    /// Caches a value that was read after `gap` was found. Does nothing if the entry has changed
    /// since.
    pub(crate) async fn fill<T: Serialize>(&self, gap: Gap, value: &T) {
        let Ok(value) = serde_json::to_vec(value) else { return };
        let mut fill = self.0.fill.key(gap.name);
        fill.arg(gap.found).arg(gap.at).arg(value).arg(gap.lives).arg(TOO_LATE);
        let mut redis = gap.connected.redis.clone();
        let _: Option<bool> =
            self.0.line.ask_on(&gap.connected, fill.invoke_async(&mut redis)).await;
    }

    /// Invalidates a value, including concurrent reads that are not cached yet.
    pub(crate) async fn forget(&self, held: Held<'_>) {
        self.0.line.bury(&self.place(held)).await;
    }

    fn place(&self, held: Held<'_>) -> String {
        match held {
            Held::Tenant(id) => self.name(format_args!("tenant:{id}")),
            Held::TenantKey(key) => self.name(format_args!("tenant-key:{key}")),
        }
    }
}

/// Returns the command that puts a unique tombstone at `name`.
pub(super) fn tombstone(name: &str) -> Cmd {
    let mut put = cmd("SET");
    put.arg(name).arg(format!("gone {}", Uuid::now_v7())).arg("EX").arg(TOMBSTONE);
    put
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

    #[test]
    fn every_tombstone_is_unique() {
        let [one, other] = [tombstone("a"), tombstone("a")].map(|cmd| cmd.get_packed_command());
        assert_ne!(one, other);
    }
}
