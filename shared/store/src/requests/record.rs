use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use crate::table::{item::Attributes, key::Key, transaction::with_key};
use domain::{Error, Result};
use schema::Timestamp;

/// Time for which an answer is kept, as Stripe does.
///
/// Source: <https://docs.stripe.com/api/idempotent_requests>
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// The consumer in the keys of these records.
const CONSUMER: &str = "api";

/// A request with an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedRequest {
    /// Hash of the caller, the route and the key.
    id: String,
    /// Hash of everything that a repeated request must repeat.
    fingerprint: String,
}

impl KeyedRequest {
    /// Creates a request from the parts that identify it, and from its content.
    #[must_use]
    pub fn new(scope: &[&[u8]], content: &[&[u8]]) -> Self {
        Self { id: hash(scope), fingerprint: hash(content) }
    }

    fn key(&self) -> Key {
        Key::idempotency(CONSUMER, &self.id)
    }
}

/// Hashes each part with its length, so that no two lists of parts are the same text.
fn hash(parts: &[&[u8]]) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&part.len().to_be_bytes());
        context.update(part);
    }
    URL_SAFE_NO_PAD.encode(context.finish())
}

/// An answer as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedAnswer {
    /// The status.
    pub status: u16,
    /// The header `Location`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The version in the header `ETag`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// The body; `None` if it is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<RecordedBody>,
}

/// The body of a recorded answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RecordedBody {
    /// JSON text.
    Json(String),
    /// The ID of an entity, from which the body is made again. Used for credentials, which are never
    /// stored, and for large bodies.
    Of(String),
}

/// The right to answer a request.
#[derive(Clone, Debug)]
pub struct Lease {
    request: KeyedRequest,
    /// A random number, which tells this lease from others of the same request.
    pub(super) holder: String,
    recorded: Arc<AtomicBool>,
}

impl Lease {
    pub(super) fn new(request: KeyedRequest) -> Self {
        let holder = format!("{:016x}", fastrand::u64(..));
        Self { request, holder, recorded: Arc::default() }
    }

    /// Whether the answer is recorded.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.recorded.load(Ordering::Relaxed)
    }

    pub(crate) fn set_recorded(&self) {
        self.recorded.store(true, Ordering::Relaxed);
    }

    /// Whether a record belongs to a request with the same content.
    pub(super) fn has_content_of(&self, held: &Held) -> bool {
        self.request.fingerprint == held.fingerprint
    }

    /// Returns the record of the request, with its answer if there is one.
    pub(super) fn record(
        &self,
        until: Timestamp,
        now: Timestamp,
        answer: Option<&RecordedAnswer>,
    ) -> Result<Attributes> {
        let record = Record {
            entity: ENTITY,
            fingerprint: &self.request.fingerprint,
            holder: &self.holder,
            done: answer.is_some(),
            lease_until: until,
            expires_at: (now + KEPT).seconds(),
            answer,
        };
        let attributes = serde_dynamo::to_item(record);
        let attributes = attributes.map_err(Error::permanent("encoding an answer"))?;
        Ok(with_key(self.request.key(), attributes))
    }
}

const ENTITY: &str = "idempotency";

/// A record as it is written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    entity: &'a str,
    fingerprint: &'a str,
    holder: &'a str,
    done: bool,
    lease_until: Timestamp,
    expires_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<&'a RecordedAnswer>,
}

/// A record as it is read.
#[derive(Deserialize)]
pub(super) struct Held {
    fingerprint: String,
    pub(super) holder: String,
    pub(super) answer: Option<RecordedAnswer>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_depends_on_where_its_parts_end() {
        assert_ne!(hash(&[b"ab", b"c"]), hash(&[b"a", b"bc"]));
        assert_eq!(hash(&[b"ab"]).len(), 43);
    }
}
