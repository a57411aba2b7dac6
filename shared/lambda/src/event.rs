//! Events as AWS delivers them to a function.

use domain::Error;
use schema::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use tracing::field::display;

/// The raw text of an event, so that a malformed event can be put on a dead-letter queue unchanged.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Payload(Box<RawValue>);

/// An event from a dead-letter queue, in the form that [`crate::dead_letter`] gave it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Redriven<'p> {
    #[serde(borrow)]
    set_aside: &'p RawValue,
}

impl Payload {
    /// Reads the event as an EventBridge envelope.
    ///
    /// # Errors
    ///
    /// [`Error::Permanent`] if the event has another form.
    pub fn envelope(&self) -> Result<Envelope, Error> {
        serde_json::from_str(self.raw().get()).map_err(Error::permanent("reading an event"))
    }

    /// Returns the event itself, without the wrapper of a dead-letter queue.
    pub(crate) fn raw(&self) -> &RawValue {
        self.set_aside().unwrap_or(&self.0)
    }

    /// Whether the event comes from a dead-letter queue.
    pub(crate) fn is_redriven(&self) -> bool {
        self.set_aside().is_some()
    }

    fn set_aside(&self) -> Option<&RawValue> {
        serde_json::from_str(self.0.get()).ok().map(|Redriven { set_aside }| set_aside)
    }
}

/// The envelope of an event from EventBridge.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Envelope {
    /// The type of the event.
    pub detail_type: String,
    /// When the event happened, in whole seconds.
    #[serde(default)]
    pub time: Option<Timestamp>,
    /// The raw content of the event.
    pub detail: Box<RawValue>,
}

impl Envelope {
    /// Reads the detail as a `T`.
    ///
    /// # Errors
    ///
    /// [`Error::Permanent`] if the event has another form.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_str(self.detail.get()).map_err(Error::permanent("reading an event"))
    }

    /// Reads the detail as an [`Event`](domain::Event) and records its IDs in the current span, so
    /// that log lines name them.
    ///
    /// # Errors
    ///
    /// Same as [`Envelope::read`].
    pub fn read_and_trace(&self) -> Result<domain::Event, Error> {
        let event: domain::Event = self.read()?;
        let span = tracing::Span::current();
        span.record("event.id", &event.id);
        if let Some(id) = &event.request_id {
            span.record("request.id", id);
        }
        if let Some(tenant) = &event.tenant {
            span.record("tenant.id", display(tenant.id));
        }
        if let Some(job) = &event.job {
            span.record("job.id", display(job.id));
        }
        Ok(event)
    }
}
