//! The chains of the audit log.
//!
//! Entries are appended by the consumer of the stream only. The transaction that appends them moves
//! the head of their chain, conditional on its number, and claims each change. So an entry that is
//! delivered again is never appended twice, and two consumers never take one number.

mod append;
mod list;
mod verify;

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Deserialize;

use crate::{
    Store,
    table::{item::Attributes, key::Key, raw_item::RawItem},
};
use domain::{AuditAction, ChainHead, Result, SealedEntry, TenantId, UserId};
use schema::Timestamp;

pub use append::AuditLog;
pub use list::{AuditRange, AuditSource};
pub use verify::Verification;

/// Sort keys of entries. The heads of chains are behind.
const ENTRIES: (&str, &str) = ("0", ":");

/// How long a note of an action is kept, in seconds: longer than any retry of the stream.
const NOTE_KEPT: i64 = 24 * 3600;

#[derive(Deserialize)]
struct StoredEntry {
    seq: u64,
    entry: String,
    mac: String,
}

/// Decodes an entry.
fn sealed(item: &RawItem) -> Result<SealedEntry> {
    let StoredEntry { seq, entry, mac } = item.decode()?;
    Ok(SealedEntry { seq, entry, mac })
}

/// The latest entry of a chain as it is stored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredHead {
    seq: u64,
    mac: String,
    /// When the entry expires, in seconds. `None` if it was appended before this was stored.
    latest_expires_at: Option<i64>,
}

impl StoredHead {
    fn entry(&self) -> ChainHead {
        ChainHead { seq: self.seq, mac: self.mac.clone() }
    }

    /// Whether the entry has expired, and so all before it.
    fn has_expired(&self) -> bool {
        self.latest_expires_at.is_some_and(|expiry| expiry <= lambda::now().seconds())
    }
}

impl Store {
    /// Returns the latest entry of a chain, strongly consistent. Returns `None` for a chain without
    /// entries.
    async fn chain_head(&self, chain: &str) -> Result<Option<StoredHead>> {
        self.get(Key::audit_head(chain)).await
    }

    /// Notes an action that changes nothing else, so that the audit log records it.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`](domain::Error::Internal) if the note cannot be written.
    pub async fn note_action(
        &self,
        action: AuditAction,
        tenant: Option<TenantId>,
        details: BTreeMap<&str, String>,
        now: Timestamp,
        by: &UserId,
    ) -> Result<()> {
        let id = domain::AuditNoteId::generate();
        let text = |text: String| AttributeValue::S(text);
        let mut item = Attributes::from(Key::audit_note(id));
        item.extend(details.into_iter().map(|(name, value)| (name.to_owned(), text(value))));
        item.extend(tenant.map(|tenant| ("tenantId".into(), text(tenant.to_string()))));
        for (name, value) in [
            ("entity", text("audit-note".to_owned())),
            ("id", text(id.to_string())),
            ("version", AttributeValue::N("1".to_owned())),
            ("action", text(action.to_string())),
            ("modifiedOn", text(now.to_string())),
            ("modifiedBy", text(by.to_string())),
            ("trace", crate::table::item::encode_part(lambda::trace::current())?),
            ("expiresAt", AttributeValue::N((now.seconds() + NOTE_KEPT).to_string())),
        ] {
            item.insert(name.to_owned(), value);
        }
        self.put_generated(item, "noting an action").await
    }
}
