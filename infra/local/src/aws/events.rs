use schema::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Aws, AwsFault, Result, detail};
use crate::bus::Published;

/// Maximum size of all entries of a request, in bytes (AWS limit since January 2026; 256 KB
/// before).
const MAX_BYTES: usize = 1 << 20;

/// Maximum entries of a request, and maximum characters of a detail type, a source and a resource:
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html>.
const MAX_ENTRIES: usize = 10;
const MAX_TYPE_LENGTH: usize = 128;
const MAX_SOURCE_LENGTH: usize = 256;
const MAX_RESOURCE_LENGTH: usize = 2048;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutEvents {
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Entry {
    source: String,
    detail_type: String,
    detail: String,
    event_bus_name: String,
    resources: Vec<String>,
    time: Option<f64>,
}

impl Default for Entry {
    fn default() -> Self {
        Self {
            source: String::new(),
            detail_type: String::new(),
            detail: String::new(),
            event_bus_name: "default".into(),
            resources: Vec::new(),
            time: None,
        }
    }
}

impl Aws {
    /// Stores the valid entries with their deliveries in one transaction, and reports the invalid
    /// ones.
    pub(super) fn put_events(&self, request: PutEvents) -> Result<Value> {
        let entries = request.entries;
        if entries.is_empty() || entries.len() > MAX_ENTRIES {
            return Err(AwsFault::client_error(
                "ValidationException",
                "1 to 10 entries are allowed",
            ));
        }
        if entries.iter().map(Entry::size).sum::<usize>() > MAX_BYTES {
            return Err(AwsFault::client_error(
                "ValidationException",
                "Total size of the entries is over 1 MB",
            ));
        }
        let mut events = Vec::new();
        let mut results = Vec::new();
        for entry in entries {
            let refused = self.calls.refusal("PutEventsEntry", entry.detail.as_bytes());
            let published =
                refused.map_or_else(|| entry.published(), |code| Err((code, "simulated failure")));
            match published.and_then(|published| {
                let unknown = ("ResourceNotFoundException", "No such event bus");
                self.buses.event(published).ok_or(unknown)
            }) {
                Ok(event) => {
                    results.push(json!({ "EventId": event.id }));
                    events.push(event);
                }
                Err((code, message)) => {
                    results.push(json!({ "ErrorCode": code, "ErrorMessage": message }));
                }
            }
        }
        self.state.add_events(&events)?;
        let failed = results.len() - events.len();
        Ok(json!({ "FailedEntryCount": failed, "Entries": results }))
    }
}

impl Entry {
    /// Returns the size of the entry as AWS counts it.
    fn size(&self) -> usize {
        let resources = self.resources.iter().map(String::len).sum::<usize>();
        let time = self.time.map_or(0, |_| 14);
        self.source.len() + self.detail_type.len() + self.detail.len() + resources + time
    }

    fn published(self) -> Result<Published, (&'static str, &'static str)> {
        if self.source.is_empty() || self.detail_type.is_empty() || self.detail.is_empty() {
            return Err(("InvalidArgument", "Source, DetailType and Detail are required"));
        }
        if self.source.starts_with("aws.") {
            return Err(("NotAuthorizedForSourceException", "Not authorized for the source."));
        }
        let is_long = |text: &str, most: usize| text.chars().count() > most;
        if is_long(&self.source, MAX_SOURCE_LENGTH) || is_long(&self.detail_type, MAX_TYPE_LENGTH) {
            return Err(("InvalidArgument", "Source or DetailType is too long."));
        }
        if self.resources.iter().any(|it| it.is_empty() || is_long(it, MAX_RESOURCE_LENGTH)) {
            return Err(("InvalidArgument", "A resource is empty or too long."));
        }
        let malformed = ("MalformedDetail", "Detail is malformed.");
        let detail = Some(&self.detail).filter(|detail| detail::is_good(detail));
        let detail = detail.and_then(|detail| serde_json::from_str::<Value>(detail).ok());
        let detail = detail.ok_or(malformed)?;
        #[expect(clippy::cast_possible_truncation, reason = "present times fit")]
        let time = self.time.map(|seconds| Timestamp::from_millis((seconds * 1000.0) as i64));
        Ok(Published {
            bus: self.event_bus_name.rsplit('/').next().unwrap_or_default().to_owned(),
            source: self.source,
            detail_type: self.detail_type,
            detail,
            resources: self.resources,
            time: time.unwrap_or_else(lambda::now),
        })
    }
}
