//! The table's stream becomes events on the bus.
//!
//! The item is its own outbox: what changed in the table is announced, and measured; what did not is not. A batch
//! may come again in part or whole; events carry ids by which consumers drop what they have seen.

mod announcement;
mod change;
mod connector;
mod measures;

use aws_lambda_events::streams::DynamoDbEventResponse;
use shared::{
    Env, Result,
    aws::Aws,
    config::ConfigError,
    metric::Metrics,
    stream::{Batch, Failures, Record},
};

pub use announcement::Announcement;
use change::Change;
pub use connector::{EventBridge, EventConnector};

/// Turns stream records into events, and publishes them by `C`.
#[derive(Debug)]
pub struct Relay<C = EventBridge> {
    connector: C,
    failures: Failures,
    metrics: Metrics,
}

impl Relay {
    /// A relay to the bus that `EVENT_BUS` names.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the variable that is missing.
    pub async fn new(env: &Env) -> Result<Self, ConfigError> {
        let aws = Aws::from_env(env)?;
        let (connector, failures) =
            (EventBridge::from_env(env, &aws)?, Failures::from_env(env, &aws)?);
        Ok(Self::to(connector, failures, Metrics::from_env(env)))
    }
}

impl<C: EventConnector> Relay<C> {
    /// A relay to whatever `connector` reaches.
    pub fn to(connector: C, failures: Failures, metrics: Metrics) -> Self {
        Self { connector, failures, metrics }
    }

    /// Announces what the records of a batch say, in their order. One that cannot be read is set
    /// aside.
    ///
    /// The answer names the first record that was not announced: Lambda goes on from there, so what
    /// comes after it need not be tried now.
    ///
    /// # Errors
    ///
    /// None: a failure is reported by the answer.
    pub async fn handle(&self, batch: Batch) -> Result<DynamoDbEventResponse> {
        let records = batch.read(Change::of);
        let unpublished = self.publish(&records).await;
        let done =
            records.iter().take_while(|record| Some(&record.sequence) != unpublished.as_ref());
        for (_, change) in done.filter_map(Record::readable) {
            change.metrics.iter().for_each(|metric| self.metrics.write(metric, shared::now()));
        }
        Ok(self.failures.pass_over(&records, unpublished).await)
    }

    /// Publishes what can be read; the sequence number of the first announcement that was refused.
    async fn publish(&self, records: &[Record<Change>]) -> Option<String> {
        let announcements: Vec<_> = records.iter().filter_map(announcement).collect();
        let mut left = announcements.as_slice();
        while let Some((sequence, _)) = left.first() {
            let batch = left.iter().take(C::MOST).map(|(_, announcement)| *announcement);
            match self.connector.publish(&batch.collect::<Vec<_>>()).await {
                Ok(0) => return Some((*sequence).to_owned()),
                Ok(published) => left = left.get(published..).unwrap_or_default(),
                Err(error) => {
                    let error = error.with_causes();
                    tracing::error!(%error, "the bus did not take a batch");
                    return Some((*sequence).to_owned());
                }
            }
        }
        None
    }
}

fn announcement(record: &Record<Change>) -> Option<(&str, &Announcement)> {
    let (sequence, change) = record.readable()?;
    Some((sequence, change.announcement.as_ref()?))
}
