use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde_json::{Map, json};

use super::{ENTRIES, StoredHead, sealed};
use crate::{
    Store,
    lists::cursor::Cursor,
    table::{key::Key, query::QueryPages, raw_item::RawItem},
};
use domain::{ChainCheck, ChainHead, Result, SealedEntry};
use lambda::keys::MasterKeys;

/// Maximum number of entries that one call verifies.
const AT_ONCE: u64 = 10_000;

/// The result of verifying a part of a chain.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// The chain.
    pub chain: String,
    /// The number of the first verified entry: the first that retention kept. `None` if the chain
    /// has no entries, or none that retention kept.
    pub from: Option<u64>,
    /// The number of the last verified entry.
    pub to: Option<u64>,
    /// How many entries were verified.
    pub entries: u64,
    /// Whether all of them are genuine and none is missing.
    pub ok: bool,
    /// The number of the first entry that is missing or not genuine.
    pub broken_at: Option<u64>,
    /// The position to continue from. `None` at the end of the chain.
    #[serde(skip)]
    pub next: Option<Cursor>,
}

impl Store {
    /// Verifies up to 10,000 entries of a chain, oldest first, and at its end that the newest are
    /// there.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`](domain::Error::Internal) if the chain cannot be read.
    pub async fn verify_chain(
        &self,
        chain: &str,
        keys: &MasterKeys,
        cursor: Option<Cursor>,
    ) -> Result<Verification> {
        // Read first: entries that are appended in the meantime are behind it.
        let mut head = self.chain_head(chain).await?;
        let after = cursor.and_then(head_of);
        let start = after.as_ref().map(|after| Key::audit(chain, after.seq).into());
        let mut check = ChainCheck::new(chain, after);
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let query = self
            .client
            .query()
            .table_name(&*self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :chain AND sk BETWEEN :first AND :last")
            .expression_attribute_values(":chain", text(&Key::audit_partition(chain)))
            .expression_attribute_values(":first", text(ENTRIES.0))
            .expression_attribute_values(":last", text(ENTRIES.1))
            .limit(1000)
            .set_exclusive_start_key(start);
        let mut pages = QueryPages::new(query, "reading the audit log");
        let mut may_have_expired = check.last().is_none();
        while check.entries() < AT_ONCE && check.broken_at().is_none() {
            let Some(item) = pages.next_item().await? else { break };
            // DynamoDB deletes expired entries in any order.
            may_have_expired &= item.has_expired();
            if may_have_expired {
                continue;
            }
            let entry = sealed(&item).unwrap_or_else(|_| unreadable(&item));
            // The first entries of a chain may have been appended after the head was read.
            if head.is_none() {
                head = self.chain_head(chain).await?;
            }
            if head.as_ref().is_some_and(|head| entry.seq > head.seq) {
                break;
            }
            check.offer(&entry, |key, text, mac| keys.is_audit_mac(key, text, mac));
        }
        let all_expired =
            check.first().is_none() && head.as_ref().is_some_and(StoredHead::has_expired);
        let head = head.as_ref().map(StoredHead::entry);
        let is_partial = check.entries() == AT_ONCE && check.last() != head.as_ref();
        if !is_partial && !all_expired {
            check.end(head.as_ref());
        }
        let next = check.last().filter(|_| is_partial && check.broken_at().is_none());
        Ok(Verification {
            chain: chain.to_owned(),
            from: check.first(),
            to: check.last().map(|last| last.seq),
            entries: check.entries(),
            ok: check.broken_at().is_none(),
            broken_at: check.broken_at(),
            next: next.map(cursor_of),
        })
    }
}

/// Returns an entry that is not genuine, in the place of one that cannot be read.
fn unreadable(item: &RawItem) -> SealedEntry {
    let place = item.key_part("sk").and_then(|place| place.parse().ok());
    SealedEntry { seq: place.unwrap_or(0), entry: String::new(), mac: String::new() }
}

fn cursor_of(last: &ChainHead) -> Cursor {
    let last = json!({ "seq": last.seq, "mac": last.mac });
    Cursor::Order { last: last.as_object().cloned().unwrap_or_else(Map::new) }
}

fn head_of(cursor: Cursor) -> Option<ChainHead> {
    match cursor {
        Cursor::Order { last } => serde_json::from_value(last.into()).ok(),
        Cursor::Index { .. } => None,
    }
}
