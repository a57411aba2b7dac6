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
    store::{Store, Tally},
    stream::{Batch, Failures, Record},
};

pub use change::{Asked, Change};

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

    /// Does what the records of a batch lead to. One that cannot be read is set aside.
    ///
    /// The answer names the first record that has to come again: Lambda goes on from there.
    ///
    /// # Errors
    ///
    /// None: a failure is reported by the answer.
    pub async fn handle(&self, batch: Batch) -> Result<DynamoDbEventResponse> {
        let records = batch.read(|record| Change::of(&record));
        let changes: Vec<_> = records.iter().filter_map(Record::readable).collect();
        self.forget(&changes).await;
        let failed = match Box::pin(self.count(&changes)).await {
            Ok(()) => Box::pin(self.follow(&changes)).await,
            Err(error) => {
                tracing::error!(error = %error.with_causes(), "changes cannot be counted");
                changes.first().map(|(sequence, _)| (*sequence).to_owned())
            }
        };
        Ok(self.failures.pass_over(&records, failed).await)
    }

    async fn count(&self, changes: &[(&str, &Change)]) -> Result<()> {
        let tallies = changes.iter().flat_map(|(_, change)| [change.tally(), change.day()]);
        let tallies: Vec<Tally> = tallies.flatten().collect();
        self.store.count_changes(&tallies, shared::now()).await
    }

    /// Has readers read tenants anew that have changed.
    async fn forget(&self, changes: &[(&str, &Change)]) {
        let changed = changes.iter().filter_map(|(_, change)| change.changed_tenant());
        for tenant in changed.collect::<BTreeSet<_>>() {
            self.store.forget_tenant(tenant).await;
        }
    }

    /// Does what follows from each change beside the counts; the first record where that failed.
    async fn follow(&self, changes: &[(&str, &Change)]) -> Option<String> {
        for (sequence, change) in changes {
            if let Err(error) = self.follow_one(change).await {
                let error = error.with_causes();
                tracing::error!(%error, sequence, "what follows from a change cannot be done");
                return Some((*sequence).to_owned());
            }
        }
        None
    }

    /// Deletes the children of a tenant that was deleted, and renews the leads that a link is asked for.
    async fn follow_one(&self, change: &Change) -> Result<()> {
        if let Some(tenant) = change.deleted_tenant() {
            self.store.bury_children(tenant, shared::now(), &self.system).await?;
        }
        if let Some(Asked { resend, request }) = change.asked() {
            let (now, by) = (shared::now(), &self.system);
            self.store.resend(resend, request, now, by, self.retention).await?;
        }
        Ok(())
    }
}
