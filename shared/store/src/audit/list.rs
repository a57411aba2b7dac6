use aws_sdk_dynamodb::{operation::query::builders::QueryFluentBuilder, types::AttributeValue};
use serde_json::{Map, Value};

use super::{ENTRIES, sealed};
use crate::{
    Store,
    lists::{
        cursor::Cursor,
        list::Page,
        page_items::PageItems,
        query::start_key,
        read_budget::{MOST_READ, too_broad},
    },
    table::{index::Partition, key::Key, query::query_page, raw_item::RawItem},
};
use domain::{AuditChain, Error, Result, SealedEntry};
use schema::Timestamp;

/// The source of the entries of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditSource {
    /// A chain, strongly consistent.
    Chain(AuditChain),
    /// The entries of an actor, from an index.
    Actor(String),
    /// All entries by time, from an index.
    Time,
}

/// The times of the entries of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditRange {
    /// The earliest time.
    pub from: Option<Timestamp>,
    /// The time before which entries were made.
    pub to: Option<Timestamp>,
}

impl AuditRange {
    /// Returns whether the range contains `time`.
    #[must_use]
    pub fn contains(&self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= time) && self.to.is_none_or(|to| time < to)
    }
}

impl Store {
    /// Returns a page of the entries that `view` shows, newest first.
    ///
    /// # Errors
    ///
    /// [`Error::FilterTooBroad`] if more than 10,000 entries would be read.
    pub async fn audit_entries(
        &self,
        source: &AuditSource,
        range: AuditRange,
        limit: usize,
        cursor: Option<Cursor>,
        view: impl Fn(Map<String, Value>) -> Result<Option<Map<String, Value>>>,
    ) -> Result<Page> {
        let (mut items, mut read, mut last) = (PageItems::default(), 0, None);
        let mut start = cursor.and_then(start_key);
        // One more entry than fits on the page shows whether there is a next page.
        let mut chunk = limit + 1;
        loop {
            let query = self.audit_query(source, range).limit(i32::try_from(chunk).unwrap_or(1000));
            let query = query.set_exclusive_start_key(start);
            let page = query_page(query, "listing the audit log").await?;
            for item in page.items {
                read += 1;
                if item.has_expired() {
                    continue;
                }
                let key = position(source, &item);
                // Its chain is broken, which the verification tells. The others are still shown.
                let entry = sealed(&item).and_then(members).inspect_err(|error| {
                    let error = error.with_causes();
                    tracing::error!(%error, "an entry of the audit log is unreadable");
                });
                let Some(shown) = entry.ok().map(&view).transpose()?.flatten() else { continue };
                if items.len() == limit || !items.add(&shown)? {
                    let next = last;
                    return Ok(Page {
                        items: items.into_items(),
                        next,
                        truncated: Default::default(),
                    });
                }
                last = Some(key);
            }
            match page.next {
                None => break,
                Some(_) if read >= MOST_READ => return Err(too_broad()),
                more => start = more,
            }
            chunk = 1000;
        }
        Ok(Page { items: items.into_items(), next: None, truncated: Default::default() })
    }

    /// Returns the query for the entries of a source, newest first. Chains are by number, so their
    /// entries are filtered by time when they are read.
    fn audit_query(&self, source: &AuditSource, range: AuditRange) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&*self.table).scan_index_forward(false);
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let partition = match source {
            AuditSource::Chain(chain) => {
                return query
                    .consistent_read(true)
                    .key_condition_expression("pk = :chain AND sk BETWEEN :first AND :last")
                    .expression_attribute_values(":chain", text(&Key::audit_partition(chain)))
                    .expression_attribute_values(":first", text(ENTRIES.0))
                    .expression_attribute_values(":last", text(ENTRIES.1));
            }
            AuditSource::Actor(id) => Partition::audit_of_actor(id),
            AuditSource::Time => Partition::of_entity("audit"),
        };
        let (first, last) = (range.from.map(|time| time.to_string()), range.to);
        let last = last.map_or_else(|| ENTRIES.1.to_owned(), |time| time.to_string());
        let (pk, sk) = (partition.index.pk(), partition.index.sk());
        query
            .index_name(partition.index.name())
            .key_condition_expression(format!(
                "{pk} = :partition AND {sk} BETWEEN :first AND :last"
            ))
            .expression_attribute_values(":partition", text(&partition.pk))
            .expression_attribute_values(":first", text(first.as_deref().unwrap_or(ENTRIES.0)))
            .expression_attribute_values(":last", text(&last))
    }
}

/// Returns the members of an entry on the wire.
fn members(sealed: SealedEntry) -> Result<Map<String, Value>> {
    let members: Result<Map<String, Value>, _> = serde_json::from_str(&sealed.entry);
    let mut members = members.map_err(Error::permanent("reading an entry of the audit log"))?;
    members.insert("mac".to_owned(), sealed.mac.into());
    Ok(members)
}

/// Returns the cursor behind an item.
fn position(source: &AuditSource, item: &RawItem) -> Cursor {
    let index: &[&str] = match source {
        AuditSource::Chain(_) => &[],
        AuditSource::Actor(_) => &["gsi2pk", "gsi2sk"],
        AuditSource::Time => &["gsi1pk", "gsi1sk"],
    };
    let of_key = |name: &&str| Some(((*name).to_owned(), item.key_part(name)?));
    Cursor::Index { key: ["pk", "sk"].iter().chain(index).filter_map(of_key).collect() }
}
