//! Publishes changes from the table's stream as events on the bus.
//!
//! The table is its own outbox: a change that is stored is published and measured, and no other. A
//! batch may be delivered again in part or whole. Event IDs let consumers drop duplicates.

mod change;
mod connector;
mod metrics;
mod outgoing_event;

use aws_lambda_events::streams::DynamoDbEventResponse;
use domain::{Error, Result};
use lambda::{
    Env,
    aws::Aws,
    config::ConfigError,
    metric::Metrics,
    stream::{Batch, Failures, StreamRecord, answer},
};

use change::StreamChange;
pub use connector::{EventBridge, EventConnector};
pub use outgoing_event::OutgoingEvent;

/// Converts stream records into events, and publishes them through `C`.
#[derive(Debug)]
pub struct Relay<C = EventBridge> {
    connector: C,
    failures: Failures,
    metrics: Metrics,
}

impl Relay {
    /// Creates a relay to the bus `EVENT_BUS`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a variable is missing or malformed.
    pub async fn new(env: &Env) -> Result<Self, ConfigError> {
        let aws = Aws::from_env(env)?;
        let (connector, failures) =
            (EventBridge::from_env(env, &aws)?, Failures::from_env(env, &aws)?);
        Ok(Self::to(connector, failures, Metrics::from_env(env)))
    }
}

impl<C: EventConnector> Relay<C> {
    /// Creates a relay that publishes through `connector`.
    pub fn to(connector: C, failures: Failures, metrics: Metrics) -> Self {
        Self { connector, failures, metrics }
    }

    /// Publishes the events of a batch in order. A record that cannot be read, or whose event fails
    /// permanently, goes to the dead-letter queue.
    ///
    /// The answer names the first record that was not published. Lambda retries from there, so the
    /// records behind it are not tried now.
    pub async fn handle(&self, batch: Batch) -> DynamoDbEventResponse {
        let mut records = batch.read(StreamChange::of);
        let mut left = records.as_mut_slice();
        while !left.is_empty() {
            let at_once = at_once(left, C::MAX_EVENTS);
            let (now, later) = left.split_at_mut(at_once);
            let failed = Box::pin(self.publish(now)).await;
            if failed.is_some() {
                return answer(failed);
            }
            left = later;
        }
        answer(None)
    }

    /// Publishes the events of records. Returns the sequence number of the first record to retry.
    async fn publish(&self, records: &mut [StreamRecord<StreamChange>]) -> Option<String> {
        let announced: Vec<_> = records.iter().flat_map(outgoing_events).collect();
        let results = self.connector.publish(&announced).await;
        let some_went = results.iter().any(Result::is_ok);
        let mut results = results.into_iter();
        for record in records.iter_mut() {
            let events: Vec<_> =
                outgoing_events(record).iter().map(|found| found.event.id.clone()).collect();
            let untried = || Err(Error::Busy("an earlier event was not published"));
            let mut failure = None;
            for event in events {
                if let Err(error) = results.next().unwrap_or_else(untried) {
                    let cause = error.with_causes().to_string();
                    tracing::error!(error = cause, event.id = event, "an event was not published");
                    failure = worse(failure, error);
                }
            }
            if let Some(error) = failure {
                record.fail(error);
            }
        }
        let failed = self.failures.dead_letter_failures(records, some_went).await;
        let done = records.iter().filter_map(StreamRecord::readable);
        for (_, change) in done.take_while(|(sequence, _)| Some(*sequence) != failed.as_deref()) {
            change.metrics.iter().for_each(|metric| self.metrics.write(metric, lambda::now()));
        }
        failed
    }
}

/// Returns the failure that decides about a record with several events: one that is temporary, if there
/// is one, because the record is then tried again.
fn worse(failure: Option<Error>, other: Error) -> Option<Error> {
    match failure {
        Some(failure) if !failure.is_permanent() => Some(failure),
        _ => Some(other),
    }
}

/// Returns how many of the first `records` hold at most `most` events, at least one record.
fn at_once(records: &[StreamRecord<StreamChange>], most: usize) -> usize {
    let mut events = 0;
    let fits = |record: &&StreamRecord<StreamChange>| {
        events += outgoing_events(record).len();
        events <= most
    };
    records.iter().take_while(fits).count().max(1)
}

fn outgoing_events(record: &StreamRecord<StreamChange>) -> &[OutgoingEvent] {
    record.readable().map_or(&[], |(_, change)| change.events.as_slice())
}
