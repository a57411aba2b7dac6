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
    Env, Error, Result,
    aws::Aws,
    config::ConfigError,
    metric::Metrics,
    stream::{Batch, Failures, Record, answer},
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

    /// Announces what the records of a batch say, in their order. One that cannot be read, or that the
    /// bus refuses for good, is set aside.
    ///
    /// The answer names the first record that was not announced: Lambda goes on from there, so what
    /// comes after it need not be tried now.
    ///
    /// # Errors
    ///
    /// None: a failure is reported by the answer.
    pub async fn handle(&self, batch: Batch) -> Result<DynamoDbEventResponse> {
        let mut records = batch.read(Change::of);
        let mut left = records.as_mut_slice();
        while !left.is_empty() {
            let at_once = at_once(left, C::MOST);
            let (now, later) = left.split_at_mut(at_once);
            let failed = Box::pin(self.announce(now)).await;
            if failed.is_some() {
                return Ok(answer(failed));
            }
            left = later;
        }
        Ok(answer(None))
    }

    /// Announces records; the sequence number of the first that has to come again.
    async fn announce(&self, records: &mut [Record<Change>]) -> Option<String> {
        let announced: Vec<_> = records.iter().filter_map(announcement).collect();
        let results = self.connector.publish(&announced).await;
        let some_went = results.iter().any(Result::is_ok);
        let mut results = results.into_iter();
        for record in records.iter_mut() {
            let Some(event) = announcement(record).map(|found| found.event.id.clone()) else {
                continue;
            };
            let untried = || Err(Error::Busy("one before it was not published"));
            if let Err(error) = results.next().unwrap_or_else(untried) {
                let cause = error.with_causes().to_string();
                tracing::error!(error = cause, event.id = event, "an event was not published");
                record.fail(error);
            }
        }
        let failed = self.failures.pass_over(records, some_went).await;
        let done = records.iter().filter_map(Record::readable);
        for (_, change) in done.take_while(|(sequence, _)| Some(*sequence) != failed.as_deref()) {
            change.metrics.iter().for_each(|metric| self.metrics.write(metric, shared::now()));
        }
        failed
    }
}

/// How many of `records` have as many announcements as are published at once.
fn at_once(records: &[Record<Change>], most: usize) -> usize {
    let announced = records.iter().enumerate().filter(|(_, record)| announcement(record).is_some());
    announced.map(|(at, _)| at).nth(most).unwrap_or(records.len())
}

fn announcement(record: &Record<Change>) -> Option<&Announcement> {
    record.readable()?.1.announcement.as_ref()
}
