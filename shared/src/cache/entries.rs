use redis::{Cmd, cmd, pipe};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::{Cache, line::Connected};
use crate::domain::{TenantId, TenantKey};

/// How long a tombstone lies, in seconds.
const TOMBSTONE: u32 = 10;
/// How long after it was looked at a place may be filled, in microseconds: less than a tombstone lies,
/// more than the SDK tries to read the table.
const TOO_LATE: u64 = 9_000_000;

/// What can be held, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Held<'a> {
    /// A tenant.
    Tenant(TenantId),
    /// Whose a tenant key is.
    TenantKey(&'a TenantKey),
}

impl Held<'_> {
    /// For how many seconds it is held.
    fn lives(self) -> u32 {
        match self {
            Self::Tenant(_) => 30,
            Self::TenantKey(_) => 3600,
        }
    }
}

/// What was found in a place.
pub(crate) enum Looked<T> {
    /// It is held.
    Found(T),
    /// It is not.
    Missing(Gap),
}

/// A place that holds nothing of use, as it was found.
pub(crate) struct Gap {
    name: String,
    lives: u32,
    connected: Connected,
    found: Vec<u8>,
    /// When, in microseconds of Redis' clock.
    at: u64,
}

impl Cache {
    /// What is held; `None` where the cache does not answer.
    pub(crate) async fn look<T: DeserializeOwned>(&self, held: Held<'_>) -> Option<Looked<T>> {
        let name = &self.place(held);
        let asked = self.0.line.ask(|connected| async move {
            // The time first: it is never later than the look.
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

    /// Holds what was read after `gap` was found, unless a write came in between.
    pub(crate) async fn fill<T: Serialize>(&self, gap: Gap, value: &T) {
        let Ok(value) = serde_json::to_vec(value) else { return };
        let mut fill = self.0.fill.key(gap.name);
        fill.arg(gap.found).arg(gap.at).arg(value).arg(gap.lives).arg(TOO_LATE);
        let mut redis = gap.connected.redis.clone();
        let _: Option<bool> =
            self.0.line.ask_on(&gap.connected, fill.invoke_async(&mut redis)).await;
    }

    /// Holds it no more, and nothing that was read of it before.
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

/// Puts a tombstone, like no other, in the place `name`.
pub(super) fn tombstone(name: &str) -> Cmd {
    let mut put = cmd("SET");
    put.arg(name).arg(format!("gone {}", Uuid::now_v7())).arg("EX").arg(TOMBSTONE);
    put
}

/// What an entry holds, if it is one, and younger than the process that holds it.
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
    fn only_an_entry_that_was_filled_after_the_process_started_holds_something() {
        let read = |entry: &str| value::<Vec<u8>>(entry.as_bytes(), 100);
        assert_eq!(read("101 [1,2]"), Some(vec![1, 2]));
        for nothing in ["100 [1,2]", "gone 019", "", "101", "101 {}", "-1 []", "101 [1"] {
            assert_eq!(read(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn no_tombstone_is_like_another() {
        let [one, other] = [tombstone("a"), tombstone("a")].map(|cmd| cmd.get_packed_command());
        assert_ne!(one, other);
    }
}
