use aws_sdk_eventbridge::{Client, types::PutEventsRequestEntry};
use shared::{Env, Error, Result, aws::Aws, config::ConfigError};

use crate::Announcement;

/// Where events are published: the one thing a team that has another bus replaces.
pub trait EventConnector {
    /// How many events one call takes.
    const MOST: usize;

    /// Publishes events from the start of `batch` on, as many as go at once: how many went before the
    /// first that did not. Later ones may have gone too; they come again.
    ///
    /// # Errors
    ///
    /// Where nothing is known to be published.
    fn publish(&self, batch: &[&Announcement]) -> impl Future<Output = Result<usize>> + Send;
}

/// Bytes of all entries of a call together (AWS limit until January 2026; 1 MB since).
const MOST_BYTES: usize = 256 << 10;

/// Amazon EventBridge.
#[derive(Debug)]
pub struct EventBridge {
    client: Client,
    bus: String,
    source: String,
}

impl EventBridge {
    /// The bus that `EVENT_BUS` names; events are from `EVENT_SOURCE`.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Missing`] without `EVENT_BUS`.
    pub fn from_env(env: &Env, aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            client: aws.eventbridge(),
            bus: env.required("EVENT_BUS")?.to_owned(),
            source: env.get("EVENT_SOURCE").unwrap_or("tenantry").to_owned(),
        })
    }

    fn entry(&self, announcement: &Announcement) -> Result<PutEventsRequestEntry> {
        let detail = serde_json::to_string(&announcement.event);
        Ok(PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source(&self.source)
            .detail_type(announcement.kind.to_string())
            .detail(detail.map_err(Error::aws("writing an event"))?)
            .build())
    }
}

impl EventConnector for EventBridge {
    /// Ten entries a call (AWS limit of `PutEvents`).
    const MOST: usize = 10;

    async fn publish(&self, batch: &[&Announcement]) -> Result<usize> {
        let entries = batch.iter().map(|announcement| self.entry(announcement));
        let mut entries = entries.collect::<Result<Vec<_>>>()?;
        let mut bytes = 0;
        let fits = |entry: &&PutEventsRequestEntry| {
            bytes += size(entry);
            bytes <= MOST_BYTES
        };
        // One that is too large by itself is for the bus to refuse; none of ours is.
        let fitting = entries.iter().take_while(fits).count().max(1);
        entries.truncate(fitting);
        let reply = self.client.put_events().set_entries(Some(entries)).send().await;
        let reply = reply.map_err(Error::aws("publishing events"))?;
        let refused = reply.entries().iter().position(|entry| entry.error_code().is_some());
        if let Some(position) = refused {
            let code = reply.entries()[position].error_code();
            tracing::error!(code, refused = reply.failed_entry_count(), "the bus refused an event");
        }
        Ok(refused.unwrap_or(fitting))
    }
}

/// What AWS counts of an entry that has neither a time nor resources.
fn size(entry: &PutEventsRequestEntry) -> usize {
    let parts = [entry.source(), entry.detail_type(), entry.detail()];
    parts.into_iter().flatten().map(str::len).sum()
}
