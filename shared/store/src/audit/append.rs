use std::{collections::BTreeMap, time::Duration};

use aws_sdk_dynamodb::types::{AttributeValue, Put};
use serde::Deserialize;

use crate::{
    Store,
    table::{
        index::{IndexKey, Partition},
        item::Attributes,
        key::Key,
        raw_item::RawItem,
        retry::{MAX_ATTEMPTS, wait},
        transaction::with_key,
    },
};
use domain::{AuditChain, AuditEntry, Error, Result};
use lambda::keys::MasterKeys;
use schema::Timestamp;

/// Maximum number of entries in one transaction, which may have 100 writes and 4 MB (AWS limits).
/// An entry takes two writes and up to 70 KB.
const AT_ONCE: usize = 20;

/// How long an appended change is remembered: longer than any retry or redrive of the stream.
const KEPT: Duration = Duration::from_secs(14 * 24 * 3600);

/// Appends entries to their chains.
#[derive(Clone, Debug)]
pub struct AuditLog {
    store: Store,
    keys: MasterKeys,
    retention: Duration,
}

/// Returns the entries of each chain by time. A batch may repeat a change, and mix those of several
/// chains in any order.
///
/// A request notes its time before it writes, so a later version of an item may have an earlier time.
/// It still comes behind the earlier version.
fn by_chain<'e>(
    entries: impl IntoIterator<Item = &'e AuditEntry>,
) -> BTreeMap<&'e AuditChain, Vec<&'e AuditEntry>> {
    let mut items = BTreeMap::<_, BTreeMap<_, &AuditEntry>>::new();
    for entry in entries {
        let mut parts = entry.id.split('#');
        let item = (parts.next(), parts.next());
        items.entry((&entry.chain, item)).or_default().insert((entry.version, &entry.id), entry);
    }
    let mut chains = BTreeMap::<_, BTreeMap<_, &AuditEntry>>::new();
    for ((chain, _), versions) in items {
        let mut latest = Timestamp::from_millis(0);
        for entry in versions.into_values() {
            latest = latest.max(entry.time);
            let order = (latest, entry.version, &entry.id);
            chains.entry(chain).or_default().insert(order, entry);
        }
    }
    chains.into_iter().map(|(chain, entries)| (chain, entries.into_values().collect())).collect()
}

/// The head of a chain: its latest entry, and the day of its latest checkpoint.
#[derive(Clone, Debug, Default, Deserialize)]
struct Head {
    seq: u64,
    mac: Option<String>,
    #[serde(default)]
    day: i64,
}

impl AuditLog {
    /// Creates the log. Its entries are kept for `retention`, and signed with a key that is derived
    /// from the current one of `keys`.
    #[must_use]
    pub fn new(store: Store, keys: MasterKeys, retention: Duration) -> Self {
        Self { store, keys, retention }
    }

    /// Appends each of `entries` exactly once to its chain, by time. Idempotent.
    ///
    /// # Errors
    ///
    /// An error if one of them cannot be written. Others may have been appended.
    pub async fn append(
        &self,
        entries: impl IntoIterator<Item = &AuditEntry>,
        now: Timestamp,
    ) -> Result<()> {
        for (chain, entries) in by_chain(entries) {
            for some in entries.chunks(AT_ONCE) {
                self.append_some(chain, some, now).await?;
            }
        }
        Ok(())
    }

    /// Appends entries of one chain in one transaction.
    async fn append_some(
        &self,
        chain: &str,
        entries: &[&AuditEntry],
        now: Timestamp,
    ) -> Result<()> {
        let mut left = entries.to_vec();
        for attempt in 0..MAX_ATTEMPTS {
            let head = self.store.get::<Head>(Key::audit_head(chain)).await?.unwrap_or_default();
            match self.commit(chain, &left, head, now).await {
                // Another consumer has moved the head, or one of the changes is appended already.
                Err(Error::Stale) => left = self.without_appended(left).await?,
                committed => return committed,
            }
            if left.is_empty() {
                return Ok(());
            }
            wait(attempt).await;
        }
        Err(Error::Busy("a chain of the audit log kept growing"))
    }

    /// Writes entries behind `head`. Fails with [`Error::Stale`] if the head has moved, or if a
    /// change is appended already.
    async fn commit(
        &self,
        chain: &str,
        entries: &[&AuditEntry],
        head: Head,
        now: Timestamp,
    ) -> Result<()> {
        let (mut seq, mut last) = (head.seq, head.mac.clone());
        // Not from the time of the change: one that was appended late would expire before older entries.
        let expiry = (now + self.retention).seconds();
        let mut writes = self.store.transaction();
        for entry in entries {
            seq += 1;
            let text = entry.signed(seq, last.as_deref(), self.keys.audit_key_id());
            let mac = self.keys.audit_mac(&text);
            writes = writes.claim(Key::audit_done(&entry.id), done(now), Error::Stale)?.claim(
                Key::audit(chain, seq),
                entry_item(entry, seq, text, &mac, expiry),
                Error::Stale,
            )?;
            last = Some(mac);
        }
        let day = now.seconds() / (24 * 3600);
        let put = head_put(chain, &head, seq, last.as_deref(), day, expiry);
        writes = writes.put_if(put, Error::Stale)?;
        writes.commit().await?;
        if head.day != day {
            // The owner of the table can cut off the newest entries, but not their checkpoints.
            tracing::info!(chain, seq, mac = last, "checkpoint of the audit log");
        }
        Ok(())
    }

    /// Returns the entries whose changes are not appended yet.
    async fn without_appended<'e>(
        &self,
        entries: Vec<&'e AuditEntry>,
    ) -> Result<Vec<&'e AuditEntry>> {
        let keys: Vec<_> = entries.iter().map(|entry| Key::audit_done(&entry.id)).collect();
        let found = self.store.get_all(&keys).await?;
        let found: Vec<_> = found.iter().filter_map(RawItem::key).collect();
        let pairs = entries.into_iter().zip(keys);
        Ok(pairs.filter(|(_, key)| !found.contains(key)).map(|(entry, _)| entry).collect())
    }
}

/// Returns the attributes of an entry. `expiry` is in seconds.
fn entry_item(entry: &AuditEntry, seq: u64, text: String, mac: &str, expiry: i64) -> Attributes {
    let place = format!("{}#{seq:012}", entry.chain);
    let by_time = Partition::of_entity("audit").key(entry.time, &place);
    let by_actor = entry.actor.as_deref();
    let by_actor = by_actor.map(|id| Partition::audit_of_actor(id).key(entry.time, &place));
    let keys = [Some(by_time), by_actor].into_iter().flatten().flat_map(IndexKey::attributes);
    let mut item: Attributes =
        keys.map(|(name, value)| (name.to_owned(), AttributeValue::S(value))).collect();
    item.insert("entity".into(), AttributeValue::S("audit".into()));
    item.insert("seq".into(), AttributeValue::N(seq.to_string()));
    item.insert("entry".into(), AttributeValue::S(text));
    item.insert("mac".into(), AttributeValue::S(mac.to_owned()));
    item.insert("expiresAt".into(), AttributeValue::N(expiry.to_string()));
    item
}

/// Returns the write that moves the head of a chain, if it has not moved in the meantime. `expiry` is
/// that of its latest entry.
fn head_put(
    chain: &str,
    head: &Head,
    seq: u64,
    mac: Option<&str>,
    day: i64,
    expiry: i64,
) -> aws_sdk_dynamodb::types::builders::PutBuilder {
    let attributes = [
        ("entity".into(), AttributeValue::S("audit-head".into())),
        ("seq".into(), AttributeValue::N(seq.to_string())),
        ("mac".into(), AttributeValue::S(mac.unwrap_or_default().to_owned())),
        ("day".into(), AttributeValue::N(day.to_string())),
        ("latestExpiresAt".into(), AttributeValue::N(expiry.to_string())),
    ];
    let item = with_key(Key::audit_head(chain), attributes.into());
    let put = Put::builder().set_item(Some(item));
    if head.mac.is_none() {
        return put.condition_expression("attribute_not_exists(pk)");
    }
    put.condition_expression("seq = :seq")
        .expression_attribute_values(":seq", AttributeValue::N(head.seq.to_string()))
}

fn done(now: Timestamp) -> Attributes {
    let expiry = (now + KEPT).seconds().to_string();
    [
        ("entity".into(), AttributeValue::S("audit-done".into())),
        ("expiresAt".into(), AttributeValue::N(expiry)),
    ]
    .into()
}
