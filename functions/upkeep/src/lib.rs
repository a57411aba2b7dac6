//! What follows from changes in the table: counts are kept, what a deleted tenant leaves behind is put
//! out of sight, leads are renewed for which another mail was asked, and the cache forgets tenants that were changed by who does not reach it.
//!
//! A batch may come again in part or whole, and in another order: each change is counted once, and
//! what is deleted stays so.

mod change;

use std::{collections::BTreeSet, time::Duration};

use aws_lambda_events::streams::DynamoDbEventResponse;
use shared::{
    Env, Result,
    aws::Aws,
    config::{ConfigError, lead_retention},
    domain::UserId,
    each::{each, summary},
    store::{Store, Tally},
    stream::{Batch, Failures, Record, answer},
};

pub use change::{Asked, Change};

/// For how long records are taken up one by one. The function has a minute, and a call takes up to 8 s.
const TIME: Duration = Duration::from_secs(20);

/// Reads the table's stream.
#[derive(Debug)]
pub struct Upkeep {
    store: Store,
    system: UserId,
    retention: Option<Duration>,
    failures: Failures,
}

impl Upkeep {
    /// Reads what it needs from the environment.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the variable that is missing.
    pub async fn new(env: &Env) -> Result<Self, ConfigError> {
        let aws = Aws::from_env(env)?;
        Ok(Self {
            store: Store::from_env(env, &aws)?,
            system: env.required("SYSTEM_USER_ID")?.into(),
            retention: lead_retention(env)?,
            failures: Failures::from_env(env, &aws)?,
        })
    }

    /// Does what the records of a batch lead to. One that cannot be read, or whose failure is permanent,
    /// is set aside.
    ///
    /// The answer names the first record that has to come again: Lambda goes on from there. Those behind
    /// it were done all the same, and doing them again changes nothing.
    ///
    /// # Errors
    ///
    /// None: a failure is reported by the answer.
    pub async fn handle(&self, batch: Batch) -> Result<DynamoDbEventResponse> {
        let mut records = batch.read(|record| Change::of(&record));
        self.forget(&records).await;
        let changes = records.iter().filter_map(Record::readable).map(|(_, change)| change);
        let all_counted = self.count(changes).await;
        if let Err(error) = &all_counted {
            tracing::warn!(error = %error.with_causes(), "changes cannot be counted together");
        }
        let follow = |record| self.follow(record, all_counted.is_ok());
        let ended = Box::pin(each(&records, 1, TIME, follow)).await;
        let mut some_went = false;
        for (record, ended) in records.iter_mut().zip(ended) {
            match ended {
                Ok(()) => some_went |= record.readable().is_some_and(|(_, change)| change.asks()),
                Err(error) => record.fail(error),
            }
        }
        Ok(answer(self.failures.pass_over(&records, some_went).await))
    }

    /// Does what one record leads to, except what was done for all of them together.
    async fn follow(&self, record: &Record<Change>, is_counted: bool) -> Result<()> {
        let Some((_, change)) = record.readable() else { return Ok(()) };
        let counted = if is_counted { Ok(()) } else { self.count([change].into_iter()).await };
        let buried = match change.deleted_tenant() {
            Some(tenant) => {
                Box::pin(self.store.bury_children(tenant, shared::now(), &self.system)).await
            }
            None => Ok(()),
        };
        let renewed = match change.asked() {
            Some(Asked { resend, request }) => {
                let (now, by) = (shared::now(), &self.system);
                Box::pin(self.store.resend(resend, request, now, by, self.retention)).await
            }
            None => Ok(()),
        };
        summary([counted, buried, renewed])
    }

    async fn count(&self, changes: impl Iterator<Item = &Change>) -> Result<()> {
        let tallies = changes.flat_map(|change| [change.tally(), change.day()]);
        let tallies: Vec<Tally> = tallies.flatten().collect();
        self.store.count_changes(&tallies, shared::now()).await
    }

    /// Has readers read tenants anew that have changed.
    async fn forget(&self, records: &[Record<Change>]) {
        let changes = records.iter().filter_map(Record::readable);
        let changed = changes.filter_map(|(_, change)| change.changed_tenant());
        for tenant in changed.collect::<BTreeSet<_>>() {
            self.store.forget_tenant(tenant).await;
        }
    }
}
