//! The cache: a Redis (or Valkey) that counts calls for rate limits and caches tenants.
//!
//! The cache is optional, and nothing depends on it. If it does not respond within 100 ms, it is
//! skipped for one second and the table is used instead; a warning and the metric `CacheDown`
//! report this.
//!
//! # No stale tenant after a write
//!
//! * After the table has accepted a write (or may have) and before the write is answered, a
//!   *tombstone* replaces the tenant's cache entry: a unique value that lives for 10 s.
//! * A reader that finds no entry or a tombstone reads the table, strongly consistent. It fills the
//!   entry only if the entry has not changed since the lookup, on the same connection, and within 9
//!   s of it by Redis' own clock. Data read before a write therefore never replaces the tombstone
//!   of that write, however late it arrives.
//! * A write whose tombstone cannot be put is not rolled back. Its tombstone is owed: this process
//!   puts it before its next request to the cache.
//! * An entry contains the time at which it was filled. An entry older than the Redis process is
//!   ignored, because data restored from persistence may have missed a write.
//!
//! A stale entry is still possible, for at most the 30 s that entries live and the 9 s in which they
//! may be filled, in these cases: a process writes while it cannot reach Redis but others can; a
//! process ends between its write and its tombstone (unless `upkeep` reaches the cache and
//! invalidates each changed tenant about one second later); a tombstone is evicted, or lost in a
//! failover or behind a proxy that hides the failover.
//!
//! | entry | name | value | lifetime |
//! |---|---|---|---|
//! | a tenant | `<table>:tenant:<id>` | `<filled, s> <JSON>` | 30 s |
//! | owner of a tenant key (never changes) | `<table>:tenant-key:<key>` | `<filled, s> <JSON>` | 1 h |
//! | tombstone, instead of either | | `gone <UUID>` | 10 s |
//! | calls | `<table>:rate:<route>:<address>` | time at which the quota is full again, µs | until then |

mod config;
mod connection;
mod entries;
mod gcra;
mod server;
mod tombstones;

use std::{fmt, sync::Arc};

use redis::Script;

use connection::Connection;
pub(crate) use entries::{CacheKey, Lookup};
use lambda::{Env, aws::Aws, config::ConfigError};
pub use server::replace_cache_server;

/// A client of the cache. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Cache(Arc<Inner>);

struct Inner {
    connection: Connection,
    /// The prefix of every name, so that several tables can share one Redis.
    table: String,
    count: Script,
    fill: Script,
}

impl Cache {
    /// Returns a client for the Redis in `REDIS_URL` or `REDIS_HOST`, with the password from
    /// `REDIS_PASSWORD` or the secret `REDIS_PASSWORD_ARN`, for the table `TABLE_NAME`. Returns
    /// `None` if no Redis is configured. Does not connect yet.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a variable is missing or malformed.
    pub(crate) fn from_env(env: &Env, aws: &Aws) -> Result<Option<Self>, ConfigError> {
        let Some(server) = config::redis(env)? else { return Ok(None) };
        Ok(Some(Self(Arc::new(Inner {
            connection: Connection::new(server, env, aws),
            table: env.required("TABLE_NAME")?.to_owned(),
            count: Script::new(include_str!("gcra.lua")),
            fill: Script::new(include_str!("fill.lua")),
        }))))
    }

    /// Opens the connection before the first request needs it, or gives up after 250 ms.
    pub(crate) async fn warm(&self) {
        self.0.connection.warm().await;
    }

    fn name(&self, of: fmt::Arguments<'_>) -> String {
        format!("{}:{of}", self.0.table)
    }
}

impl fmt::Debug for Cache {
    /// Omits the server, because its URL may contain a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("table", &self.0.table).finish_non_exhaustive()
    }
}
