use std::time::Duration;

use aws_sdk_eventbridge::{
    Client,
    types::{PutEventsRequestEntry, PutEventsResultEntry},
};
use domain::{Error, Result};
use lambda::{
    Env,
    aws::Aws,
    config::ConfigError,
    fault::{Fault, Service},
};

use crate::OutgoingEvent;

/// Publishes events.
///
/// This trait is an extension point, as in ARC SaaS: to use another bus than EventBridge, implement
/// it and pass the connector to [`Relay::to`](crate::Relay::to).
pub trait EventConnector {
    /// Maximum number of events in one call.
    const MAX_EVENTS: usize;

    /// Publishes events in order. Returns one result for each event that was tried.
    ///
    /// The caller moves an event whose failure is permanent ([`Error::is_permanent`]) to the
    /// dead-letter queue. After another failure, or if an event was not tried, the caller retries
    /// from that event on. Events that were published behind it are then published again.
    fn publish(&self, batch: &[&OutgoingEvent]) -> impl Future<Output = Vec<Result<()>>> + Send;
}

/// Maximum size of all entries of a call, in bytes (AWS limit until January 2026; 1 MB since then).
const MAX_BYTES: usize = 256 << 10;

/// The waits before entries that failed temporarily are retried.
const RETRY_DELAYS: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(400)];

const PUBLISHING: &str = "publishing an event";

/// Amazon EventBridge.
#[derive(Debug)]
pub struct EventBridge {
    client: Client,
    bus: String,
    source: String,
}

impl EventBridge {
    /// Creates a connector to the bus `EVENT_BUS`. The source of its events is `EVENT_SOURCE`.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Missing`] if `EVENT_BUS` is not set.
    pub fn from_env(env: &Env, aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            client: aws_sdk_eventbridge::Client::new(&aws.service("EVENTBRIDGE")),
            bus: env.required("EVENT_BUS")?.to_owned(),
            source: env.get("EVENT_SOURCE").unwrap_or("tenantry").to_owned(),
        })
    }

    fn entry(&self, event: &OutgoingEvent) -> Result<PutEventsRequestEntry> {
        let detail = serde_json::to_string(&event.event);
        Ok(PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source(&self.source)
            .detail_type(event.kind.to_string())
            .detail(detail.map_err(Error::permanent(PUBLISHING))?)
            .build())
    }

    /// Returns the entries of the first `events`, as many as fit into a request.
    fn entries(&self, events: &[&OutgoingEvent]) -> Result<Vec<PutEventsRequestEntry>> {
        let (mut entries, mut bytes) = (Vec::new(), 0);
        for event in events {
            match self.entry(event) {
                Ok(entry) => {
                    bytes += size(&entry);
                    // The bus rejects an event that is too large on its own.
                    if bytes > MAX_BYTES && !entries.is_empty() {
                        break;
                    }
                    entries.push(entry);
                }
                Err(error) if entries.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(entries)
    }

    /// Publishes the first `events`, as many as fit into a request. A request that fails
    /// permanently is halved until only the event that causes the failure is left.
    async fn publish_first(&self, events: &[&OutgoingEvent]) -> Vec<Result<()>> {
        let mut entries = match self.entries(events) {
            Ok(entries) => entries,
            Err(error) => return vec![Err(error)],
        };
        loop {
            match self.put(&entries).await {
                Ok(results) => return results,
                Err(error) if error.is_permanent() && entries.len() > 1 => {
                    entries.truncate(entries.len() / 2);
                }
                Err(error) => return vec![Err(error)],
            }
        }
    }

    /// Publishes `entries` and returns a result for each. Only entries that failed temporarily are
    /// retried, so that the others are published once.
    async fn put(&self, entries: &[PutEventsRequestEntry]) -> Result<Vec<Result<()>>> {
        let mut results = self.put_once(entries.to_vec()).await?;
        for wait in RETRY_DELAYS {
            let again: Vec<_> =
                (0..results.len()).filter(|at| is_transient(&results[*at])).collect();
            if again.is_empty() {
                break;
            }
            tokio::time::sleep(wait).await;
            let entries = again.iter().map(|at| entries[*at].clone()).collect();
            let Ok(answers) = self.put_once(entries).await else { break };
            for (at, answer) in again.into_iter().zip(answers) {
                results[at] = answer;
            }
        }
        Ok(results)
    }

    async fn put_once(&self, entries: Vec<PutEventsRequestEntry>) -> Result<Vec<Result<()>>> {
        let many = entries.len();
        let reply = self.client.put_events().set_entries(Some(entries)).send().await;
        let reply = reply.map_err(Service::EventBridge.error(PUBLISHING))?;
        let mut results: Vec<_> = reply.entries().iter().map(entry_result).collect();
        results.resize_with(many, || {
            Err(Error::internal(PUBLISHING)("the response has no result for this entry"))
        });
        Ok(results)
    }
}

impl EventConnector for EventBridge {
    /// The limit of `PutEvents`.
    const MAX_EVENTS: usize = 10;

    async fn publish(&self, batch: &[&OutgoingEvent]) -> Vec<Result<()>> {
        let mut results = Vec::new();
        while results.len() < batch.len() && !results.iter().any(is_transient) {
            results.extend(Box::pin(self.publish_first(&batch[results.len()..])).await);
        }
        results
    }
}

/// Converts the bus's result for one entry.
fn entry_result(entry: &PutEventsResultEntry) -> Result<()> {
    let Some(code) = entry.error_code() else { return Ok(()) };
    let cause = format!("the bus rejected the entry: {code}");
    Err(match Service::EventBridgeEntry.fault(code) {
        Fault::Permanent => Error::permanent(PUBLISHING)(cause),
        Fault::Transient => Error::internal(PUBLISHING)(cause),
    })
}

fn is_transient(result: &Result<()>) -> bool {
    result.as_ref().is_err_and(|error| !error.is_permanent())
}

/// Returns the size of an entry without time and resources, as AWS counts it.
fn size(entry: &PutEventsRequestEntry) -> usize {
    let parts = [entry.source(), entry.detail_type(), entry.detail()];
    parts.into_iter().flatten().map(str::len).sum()
}
