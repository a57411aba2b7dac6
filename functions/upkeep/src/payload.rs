use aws_lambda_events::streams::DynamoDbEventResponse;
use domain::{Error, Result};
use lambda::stream::Batch;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::SearchPosition;

/// The payload of an invocation: a batch of the stream, or `{"rebuildSearch":{}}`.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Payload(Box<RawValue>);

/// The work that a payload asks for.
pub(crate) enum Work {
    /// Handle records of the stream.
    Batch(Batch),
    /// Write the search items of tables that were filled before there was a search.
    Rebuild(Rebuild),
}

/// A request to write search items from a position on.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Rebuild {
    pub(crate) rebuild_search: SearchPosition,
}

/// The answer of the function.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// The records to deliver again.
    Batch(DynamoDbEventResponse),
    /// The payload of the next invocation. The position is `null` at the end.
    #[serde(rename_all = "camelCase")]
    Rebuilt {
        /// The position to continue from.
        rebuild_search: Option<SearchPosition>,
    },
}

impl Payload {
    /// Reads the payload.
    ///
    /// # Errors
    ///
    /// [`Error::Permanent`] if it is neither a batch nor a request to rebuild the search.
    pub(crate) fn read(self) -> Result<Work> {
        if let Ok(rebuild) = serde_json::from_str(self.0.get()) {
            return Ok(Work::Rebuild(rebuild));
        }
        let batch = serde_json::from_str(self.0.get());
        batch.map(Work::Batch).map_err(Error::permanent("reading the payload"))
    }
}
