//! Follows up on changes in the table. It keeps counters and the words of the search, soft-deletes
//! the children of deleted tenants, deletes obsolete resources, renews leads that requested another
//! email, appends entries to the audit log, and invalidates tenants in the cache, because not every
//! function can reach the cache.
//!
//! A batch may be delivered again in part or whole, and out of order. Every change is counted once,
//! and deleted items stay deleted.

mod audit;
mod change;
mod payload;

use std::{collections::BTreeSet, time::Duration};

use aws_lambda_events::streams::DynamoDbEventResponse;
use domain::{AddressDetail, Result, UserId};
use lambda::{
    Env,
    aws::Aws,
    config::{ConfigError, audit_address, audit_retention, lead_retention},
    each::{each, summary},
    keys::MasterKeys,
    stream::{Batch, Failures, StreamRecord, answer},
};
use store::{AuditLog, CounterChange, Store, retry_if_stale};

pub use change::{ResendRequest, StreamChange};
pub use payload::{Answer, Payload};

use payload::{Rebuild, Work};

/// How long a run starts to handle records. The function has 60 s, and a call takes up to 8 s.
const TIME_BUDGET: Duration = Duration::from_secs(20);

/// Handles the records of the table's stream.
#[derive(Debug)]
pub struct Upkeep {
    store: Store,
    system: UserId,
    retention: Option<Duration>,
    failures: Failures,
    audit: AuditLog,
    address_detail: AddressDetail,
}

/// The steps that were done for a whole batch.
#[derive(Clone, Copy, Debug)]
struct BatchSteps {
    counted: bool,
    searched: bool,
    audited: bool,
}

impl Upkeep {
    /// Creates the handler from the environment.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a variable is missing or malformed.
    pub async fn new(env: &Env) -> Result<Self, ConfigError> {
        let aws = Aws::from_env(env)?;
        let store = Store::from_env(env, &aws)?;
        let keys = MasterKeys::load(env, &aws).await?;
        Ok(Self {
            audit: AuditLog::new(store.clone(), keys, audit_retention(env)?),
            address_detail: audit_address(env)?,
            store,
            system: env.required("SYSTEM_USER_ID")?.into(),
            retention: lead_retention(env)?,
            failures: Failures::from_env(env, &aws)?,
        })
    }

    /// Handles the records of a batch, or rebuilds a part of the search.
    ///
    /// # Errors
    ///
    /// An error if a part of the search cannot be rebuilt. Records that fail are named in the
    /// answer instead.
    pub async fn handle(&self, payload: Payload) -> Result<Answer> {
        Ok(match payload.read()? {
            Work::Batch(batch) => Answer::Batch(Box::pin(self.follow_up(batch)).await),
            Work::Rebuild(Rebuild { rebuild_search: position }) => {
                let next = Box::pin(self.store.rebuild_search(position, TIME_BUDGET)).await?;
                Answer::Rebuilt { rebuild_search: next }
            }
        })
    }

    /// Handles the records of a batch. A record that cannot be read, or whose failure is permanent,
    /// goes to the dead-letter queue.
    ///
    /// The answer names the first record to retry. Lambda retries from there. The records behind it
    /// have already been handled, and handling them again has no effect.
    async fn follow_up(&self, batch: Batch) -> DynamoDbEventResponse {
        let mut records = batch.read(|record| StreamChange::of(&record, self.address_detail));
        self.forget(&records).await;
        let changes = records.iter().filter_map(StreamRecord::readable).map(|(_, change)| change);
        let all_counted = self.count(changes).await;
        if let Err(error) = &all_counted {
            tracing::warn!(error = %error.with_causes(), "a batch cannot be counted as a whole");
        }
        let changes = records.iter().filter_map(StreamRecord::readable);
        let changes = changes.filter_map(|(_, change)| change.search_change());
        let all_searched = Box::pin(self.store.update_search(changes)).await;
        if let Err(error) = &all_searched {
            tracing::warn!(error = %error.with_causes(), "the words of a batch cannot be written");
        }
        let changes = records.iter().filter_map(StreamRecord::readable);
        let entries = changes.filter_map(|(_, change)| change.audit_entry());
        let all_audited = Box::pin(self.audit.append(entries, lambda::now())).await;
        if let Err(error) = &all_audited {
            tracing::warn!(error = %error.with_causes(), "a batch cannot be audited as a whole");
        }
        let done = BatchSteps {
            counted: all_counted.is_ok(),
            searched: all_searched.is_ok(),
            audited: all_audited.is_ok(),
        };
        let follow = |record| self.follow(record, done);
        let ended = Box::pin(each(&records, 1, TIME_BUDGET, follow)).await;
        let mut some_went = false;
        for (record, ended) in records.iter_mut().zip(ended) {
            match ended {
                Ok(()) => {
                    some_went |= record.readable().is_some_and(|(_, change)| change.needs_write());
                }
                Err(error) => record.fail(error),
            }
        }
        answer(self.failures.dead_letter_failures(&records, some_went).await)
    }

    /// Handles one record, except for the steps that were done for the whole batch.
    async fn follow(&self, record: &StreamRecord<StreamChange>, done: BatchSteps) -> Result<()> {
        let Some((_, change)) = record.readable() else { return Ok(()) };
        let counted = if done.counted { Ok(()) } else { self.count([change].into_iter()).await };
        let deleted = match change.deleted_tenant() {
            Some(tenant) => {
                Box::pin(self.store.soft_delete_children(tenant, lambda::now(), &self.system)).await
            }
            None => Ok(()),
        };
        let renewed = match change.resend_request() {
            Some(ResendRequest { resend, request }) => {
                let (now, by) = (lambda::now(), &self.system);
                Box::pin(self.store.resend(resend, request, now, by, self.retention)).await
            }
            None => Ok(()),
        };
        let swept = match change.swept_tenant() {
            Some(tenant) => Box::pin(retry_if_stale(|| self.store.sweep_resources(tenant))).await,
            None => Ok(()),
        };
        let searched = match change.search_change() {
            Some(change) if !done.searched => Box::pin(self.store.update_search([change])).await,
            _ => Ok(()),
        };
        let audited = match change.audit_entry() {
            Some(entry) if !done.audited => {
                Box::pin(self.audit.append([entry], lambda::now())).await
            }
            _ => Ok(()),
        };
        summary([counted, deleted, renewed, swept, searched, audited])
    }

    async fn count(&self, changes: impl Iterator<Item = &StreamChange>) -> Result<()> {
        let changes = changes.flat_map(|change| [change.counter_change(), change.daily_change()]);
        let changes: Vec<CounterChange> = changes.flatten().collect();
        self.store.count_changes(&changes, lambda::now()).await
    }

    /// Invalidates changed tenants in the cache.
    async fn forget(&self, records: &[StreamRecord<StreamChange>]) {
        let changes = records.iter().filter_map(StreamRecord::readable);
        let changed = changes.filter_map(|(_, change)| change.changed_tenant());
        for tenant in changed.collect::<BTreeSet<_>>() {
            self.store.invalidate_tenant(tenant).await;
        }
    }
}
