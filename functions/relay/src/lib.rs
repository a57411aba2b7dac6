//! The table's stream becomes events on the bus.
//!
//! The item is its own outbox: what changed in the table is announced, what did not is not. A batch
//! may come again in part or whole; events carry ids by which consumers drop what they have seen.

mod announcement;
mod connector;

use aws_lambda_events::{
    dynamodb::Event,
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use shared::{Env, Result, aws::Aws, config::ConfigError};

pub use announcement::Announcement;
pub use connector::{EventBridge, EventConnector};

/// Turns stream records into events, and publishes them by `C`.
#[derive(Debug)]
pub struct Relay<C = EventBridge> {
    connector: C,
}

impl Relay {
    /// A relay to the bus that `EVENT_BUS` names.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the variable that is missing.
    pub async fn new(env: &Env) -> Result<Self, ConfigError> {
        let connector = EventBridge::from_env(env, &Aws::from_env(env)?)?;
        Ok(Self { connector })
    }
}

impl<C: EventConnector> Relay<C> {
    /// A relay to whatever `connector` reaches.
    pub fn to(connector: C) -> Self {
        Self { connector }
    }

    /// Announces what the records of a batch say, in their order.
    ///
    /// The answer names the first record that was not announced: Lambda goes on from there, so what
    /// comes after it need not be tried now.
    ///
    /// # Errors
    ///
    /// None: a failure is reported by the answer.
    pub async fn handle(&self, batch: Event) -> Result<DynamoDbEventResponse> {
        let mut announcements = Vec::new();
        let mut failed = None;
        for record in batch.records {
            let sequence = record.change.sequence_number.clone().unwrap_or_default();
            match Announcement::of(record) {
                Ok(Some(announcement)) => announcements.push((sequence, announcement)),
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(%error, sequence, "a stream record cannot be read");
                    failed = Some(sequence);
                    break;
                }
            }
        }
        let unpublished = self.publish(&announcements).await;
        Ok(response(unpublished.or(failed)))
    }

    /// Publishes in chunks; the sequence number of the first announcement that was refused.
    async fn publish(&self, announcements: &[(String, Announcement)]) -> Option<String> {
        for chunk in announcements.chunks(C::MOST) {
            let batch: Vec<_> = chunk.iter().map(|(_, announcement)| announcement).collect();
            let refused = match self.connector.publish(&batch).await {
                Ok(refused) => refused,
                Err(error) => {
                    let error = error.with_causes();
                    tracing::error!(%error, "the bus did not take a batch");
                    Some(0)
                }
            };
            if let Some((sequence, _)) = refused.and_then(|position| chunk.get(position)) {
                return Some(sequence.clone());
            }
        }
        None
    }
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
