//! The cache: a Redis (or Valkey) that counts calls and holds tenants as they were read last.
//!
//! It is optional, and nothing depends on it. Where it does not answer within 100 ms it is left alone
//! for a second and the table does its work; a warning and the metric `CacheDown` say so.
//!
//! # No stale tenant after a write
//!
//! * Once the table has taken a write, or may have, and before the write is answered, a *tombstone*
//!   is put in the place of the tenant's entry: a value that was never there before, for 10 s.
//! * A reader that finds nothing or a tombstone reads the table, strongly consistent, and fills the
//!   place only if it still holds what it found, on the same connection, and within 9 s on Redis' own
//!   clock. So what was read before a write never takes the place of that write's tombstone, however
//!   late it comes.
//! * A write whose tombstone cannot be put is not undone. The tombstone is owed: this process puts it
//!   before it asks anything else of the cache.
//! * An entry says when it was filled, and one that is older than the Redis process counts as none:
//!   what persistence brings back after a crash may have missed a write.
//!
//! What remains is bounded by the 30 s that an entry lives: a write that does not reach a Redis which
//! others reach, or by a process that ends between its write and its tombstone (unless `upkeep`
//! reaches the cache: it forgets each tenant that changes, about a second later); a tombstone
//! that is evicted, or lost in a failover or behind a proxy that hides it.
//!
//! | what | name | value | lives |
//! |---|---|---|---|
//! | a tenant | `<table>:tenant:<id>` | `<filled, s> <JSON>` | 30 s |
//! | whose a tenant key is, for ever | `<table>:tenant-key:<key>` | `<filled, s> <JSON>` | 1 h |
//! | a tombstone, in either's place | | `gone <UUID>` | 10 s |
//! | calls | `<table>:rate:<route>:<address>` | when the quota is whole again, µs | until then |

mod debts;
mod entries;
mod gcra;
mod line;

use std::{fmt, sync::Arc};

use redis::Script;

use crate::{
    Env,
    aws::Aws,
    config::{self, ConfigError},
};
pub(crate) use entries::{Held, Looked};
use line::Line;

/// The cache. Cheap to clone.
#[derive(Clone)]
pub struct Cache(Arc<Inner>);

struct Inner {
    line: Line,
    /// Begins each name, so that several tables may share one Redis.
    table: String,
    count: Script,
    fill: Script,
}

impl Cache {
    /// The Redis that `REDIS_URL` or `REDIS_HOST` names, with `REDIS_PASSWORD` (or the secret of
    /// `REDIS_PASSWORD_ARN`), for the table `TABLE_NAME`; `None` where there is none. It is not called
    /// yet.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the variable that is missing or malformed.
    pub fn from_env(env: &Env, aws: &Aws) -> Result<Option<Self>, ConfigError> {
        let Some(server) = config::redis(env)? else { return Ok(None) };
        Ok(Some(Self(Arc::new(Inner {
            line: Line::new(server, env, aws),
            table: env.required("TABLE_NAME")?.to_owned(),
            count: Script::new(include_str!("gcra.lua")),
            fill: Script::new(include_str!("fill.lua")),
        }))))
    }

    /// Opens the connection before the first request needs it, or gives up after 250 ms.
    pub async fn warm(&self) {
        self.0.line.warm().await;
    }

    fn name(&self, of: fmt::Arguments<'_>) -> String {
        format!("{}:{of}", self.0.table)
    }
}

impl fmt::Debug for Cache {
    /// Nothing of the server: its URL may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("table", &self.0.table).finish_non_exhaustive()
    }
}
