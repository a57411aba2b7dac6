//! What follows from changes in the table: counts are kept, what a deleted tenant leaves behind is put
//! out of sight, and the cache forgets tenants that were changed by who does not reach it.
//!
//! A batch may come again in part or whole, and in another order: each change is counted once, and
//! what is deleted stays so.

mod change;

use std::collections::BTreeSet;

use aws_lambda_events::{
    dynamodb::{Event, EventRecord},
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use shared::{
    Env, Result,
    aws::Aws,
    config::ConfigError,
    domain::UserId,
    store::{Store, Tally},
};

pub use change::Change;

/// Reads the table's stream.
#[derive(Debug)]
pub struct Upkeep {
    store: Store,
    system: UserId,
}

impl Upkeep {
    /// Reads what it needs from the environment.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the variable that is missing.
    pub async fn new(env: &Env) -> Result<Self, ConfigError> {
        let store = Store::from_env(env, &Aws::from_env(env)?)?;
        Ok(Self { store, system: env.required("SYSTEM_USER_ID")?.into() })
    }

    /// Does what the records of a batch lead to.
    ///
    /// The answer names the first record that has to come again: Lambda goes on from there.
    ///
    /// # Errors
    ///
    /// None: a failure is reported by the answer.
    pub async fn handle(&self, batch: Event) -> Result<DynamoDbEventResponse> {
        let first = batch.records.first().map(sequence).unwrap_or_default();
        let (mut changes, mut unread) = (Vec::new(), None);
        for record in batch.records {
            let sequence = sequence(&record);
            match Change::of(&record) {
                Ok(change) => changes.push((sequence, change)),
                Err(error) => {
                    tracing::error!(%error, sequence, "a stream record cannot be read");
                    unread = Some(sequence);
                    break;
                }
            }
        }
        self.forget(&changes).await;
        let failed = match Box::pin(self.count(&changes)).await {
            Ok(()) => Box::pin(self.bury(&changes)).await.or(unread),
            Err(error) => {
                tracing::error!(error = %error.with_causes(), "changes cannot be counted");
                Some(first)
            }
        };
        Ok(response(failed))
    }

    async fn count(&self, changes: &[(String, Change)]) -> Result<()> {
        let tallies: Vec<Tally> = changes.iter().filter_map(|(_, change)| change.tally()).collect();
        self.store.count_changes(&tallies, shared::now()).await
    }

    /// Has readers read tenants anew that have changed.
    async fn forget(&self, changes: &[(String, Change)]) {
        let changed = changes.iter().filter_map(|(_, change)| change.changed_tenant());
        for tenant in changed.collect::<BTreeSet<_>>() {
            self.store.forget_tenant(tenant).await;
        }
    }

    /// Deletes the children of tenants that were deleted; the first record where that failed.
    async fn bury(&self, changes: &[(String, Change)]) -> Option<String> {
        for (sequence, change) in changes {
            let Some(tenant) = change.deleted_tenant() else { continue };
            let buried = self.store.bury_children(tenant, shared::now(), &self.system).await;
            if let Err(error) = buried {
                let error = error.with_causes();
                tracing::error!(%error, tenant.id = %tenant, "children cannot be deleted");
                return Some(sequence.clone());
            }
        }
        None
    }
}

fn sequence(record: &EventRecord) -> String {
    record.change.sequence_number.clone().unwrap_or_default()
}

fn response(failed: Option<String>) -> DynamoDbEventResponse {
    let mut response = DynamoDbEventResponse::default();
    response.batch_item_failures.extend(failed.map(|sequence| {
        let mut failure = DynamoDbBatchItemFailure::default();
        failure.item_identifier = Some(sequence);
        failure
    }));
    response
}
