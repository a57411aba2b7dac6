//! The table's stream becomes events on the bus.
//!
//! The item is its own outbox: what changed in the table is announced, and measured; what did not is not. A batch
//! may come again in part or whole; events carry ids by which consumers drop what they have seen.

mod announcement;
mod connector;
mod measures;

use aws_lambda_events::{
    dynamodb::{Event, EventRecord},
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use shared::{
    Env, Result,
    aws::Aws,
    config::ConfigError,
    metric::{Metric, Metrics},
};

pub use announcement::Announcement;
pub use connector::{EventBridge, EventConnector};

/// Turns stream records into events, and publishes them by `C`.
#[derive(Debug)]
pub struct Relay<C = EventBridge> {
    connector: C,
    metrics: Metrics,
}

impl Relay {
    /// A relay to the bus that `EVENT_BUS` names.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the variable that is missing.
    pub async fn new(env: &Env) -> Result<Self, ConfigError> {
        let connector = EventBridge::from_env(env, &Aws::from_env(env)?)?;
        Ok(Self { connector, metrics: Metrics::from_env(env) })
    }
}

impl<C: EventConnector> Relay<C> {
    /// A relay to whatever `connector` reaches.
    pub fn to(connector: C, metrics: Metrics) -> Self {
        Self { connector, metrics }
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
        let (mut changes, mut unread) = (Vec::new(), None);
        for record in batch.records {
            let sequence = record.change.sequence_number.clone().unwrap_or_default();
            match Change::of(record, &sequence) {
                Ok(change) => changes.push(change),
                Err(error) => {
                    tracing::error!(%error, sequence, "a stream record cannot be read");
                    unread = Some(sequence);
                    break;
                }
            }
        }
        let unpublished = self.publish(&changes).await;
        let done =
            changes.iter().take_while(|change| Some(&change.sequence) != unpublished.as_ref());
        for metric in done.flat_map(|change| &change.metrics) {
            self.metrics.write(metric, shared::now());
        }
        Ok(response(unpublished.or(unread)))
    }

    /// Publishes in chunks; the sequence number of the first change that was refused.
    async fn publish(&self, changes: &[Change]) -> Option<String> {
        let told = changes
            .iter()
            .filter_map(|change| Some((change.announcement.as_ref()?, &change.sequence)))
            .collect::<Vec<_>>();
        for chunk in told.chunks(C::MOST) {
            let batch: Vec<_> = chunk.iter().map(|(announcement, _)| *announcement).collect();
            let refused = match self.connector.publish(&batch).await {
                Ok(refused) => refused,
                Err(error) => {
                    let error = error.with_causes();
                    tracing::error!(%error, "the bus did not take a batch");
                    Some(0)
                }
            };
            if let Some((_, sequence)) = refused.and_then(|position| chunk.get(position)) {
                return Some((*sequence).clone());
            }
        }
        None
    }
}

/// What a record of the stream tells.
struct Change {
    sequence: String,
    announcement: Option<Announcement>,
    metrics: Vec<Metric>,
}

impl Change {
    fn of(record: EventRecord, sequence: &str) -> Result<Self> {
        let (sequence, metrics) = (sequence.to_owned(), measures::of(&record)?);
        Ok(Self { sequence, metrics, announcement: Announcement::of(record)? })
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
