use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;

use crate::{
    Store,
    search::item::{SearchItem, Searched},
    table::{
        item::{Item, encode_version},
        key::Key,
        retry::MAX_ATTEMPTS,
        update::written,
    },
};
use domain::{Contact, Error, Lead, Result, Tenant, Words};

/// Maximum number of search items written at a time.
const AT_ONCE: usize = 16;

/// The attributes of a stored tenant, contact or lead that search needs. Other items have none of
/// them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SearchSource {
    entity: String,
    id: String,
    version: u64,
    deleted: bool,
    tenant_id: String,
    key: String,
    name: String,
    domains: Vec<String>,
    first_name: String,
    last_name: String,
    company_name: String,
    email: String,
}

/// A version of an entity, with the words by which it is found.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    searched: Searched,
    version: u64,
    words: Words,
}

/// A change of the words by which an entity is found.
#[derive(Clone, Debug)]
pub struct SearchChange {
    /// Words that are only kept if `after` has them.
    before: Words,
    after: Found,
}

impl SearchSource {
    /// Returns whether search finds entities of this kind.
    #[must_use]
    pub fn is_of(entity: &str) -> bool {
        [Tenant::ENTITY, Contact::ENTITY, Lead::ENTITY].contains(&entity)
    }

    /// Returns this version of the entity, without words if it is deleted. Returns `None` for items
    /// that search does not find.
    fn found(&self) -> Option<Found> {
        let searched = match self.entity.as_str() {
            Tenant::ENTITY => Searched::Tenant { id: self.id.parse().ok()? },
            Contact::ENTITY => Searched::Contact {
                id: self.id.parse().ok()?,
                tenant_id: self.tenant_id.parse().ok()?,
            },
            Lead::ENTITY => Searched::Lead { id: self.id.parse().ok()? },
            _ => return None,
        };
        let words = match searched {
            _ if self.deleted => Words::default(),
            Searched::Tenant { .. } => {
                Words::of_tenant(&self.key, &self.name, self.domains.iter().map(String::as_str))
            }
            Searched::Contact { .. } => Words::of_contact(&self.email),
            Searched::Lead { .. } => Words::of_lead(
                [&*self.first_name, &*self.last_name, &*self.company_name],
                &self.email,
            ),
        };
        Some(Found { searched, version: self.version, words })
    }
}

impl SearchChange {
    /// Returns the change between two versions of an item. Returns `None` if its words stay the
    /// same.
    #[must_use]
    pub fn between(before: Option<&SearchSource>, after: Option<&SearchSource>) -> Option<Self> {
        let before = before.and_then(SearchSource::found);
        let after = after.and_then(SearchSource::found);
        let after = after.or_else(|| {
            let removed = before.clone()?;
            Some(Found { words: Words::default(), ..removed })
        })?;
        let before = before.map(|found| found.words).unwrap_or_default();
        (before != after.words).then_some(Self { before, after })
    }

    /// Merges the changes of one entity into one.
    fn merge(self, other: Self) -> Self {
        let (mut older, newer) =
            if self.after.version <= other.after.version { (self, other) } else { (other, self) };
        older.before.extend(newer.before);
        older.before.extend(older.after.words);
        Self { before: older.before, after: newer.after }
    }

    /// Returns what is left to do if `stored` is what the table has. Returns `None` if nothing is.
    fn left(mut self, stored: Option<&Found>) -> Option<Self> {
        let words = stored.map(|stored| stored.words.clone()).unwrap_or_default();
        if words == self.after.words {
            return None;
        }
        self.before.extend(self.after.words);
        let version = stored.map_or(self.after.version, |stored| stored.version);
        Some(Self { before: self.before, after: Found { version, words, ..self.after } })
    }
}

impl Store {
    /// Brings the search items of the changed entities up to date. Idempotent, in any order: the
    /// items end up with the words that the entities have in the table, even if a change is
    /// outdated.
    ///
    /// # Errors
    ///
    /// An error if an item cannot be written; [`Error::Busy`] if an entity keeps changing.
    pub async fn update_search(
        &self,
        changes: impl IntoIterator<Item = &SearchChange>,
    ) -> Result<()> {
        let mut pending = BTreeMap::<Searched, SearchChange>::new();
        for change in changes {
            let (searched, change) = (change.after.searched, change.clone());
            let change = match pending.remove(&searched) {
                Some(other) => other.merge(change),
                None => change,
            };
            pending.insert(searched, change);
        }
        for _ in 0..MAX_ATTEMPTS {
            if pending.is_empty() {
                return Ok(());
            }
            self.write_words(pending.values()).await?;
            // Only now, because another consumer may have seen a later version and be done already.
            let keys: Vec<_> = pending.keys().map(|searched| searched.key()).collect();
            let mut stored = BTreeMap::new();
            for item in self.get_all(&keys).await? {
                if let Some(found) = item.decode::<SearchSource>()?.found() {
                    stored.insert(found.searched, found);
                }
            }
            let left = |(searched, change): (Searched, SearchChange)| {
                Some((searched, change.left(stored.get(&searched))?))
            };
            pending = pending.into_iter().filter_map(left).collect();
        }
        Err(Error::Busy("an entity kept changing its words"))
    }

    /// Writes the items of all words, and then deletes those of words that are no longer used.
    async fn write_words(
        &self,
        changes: impl Iterator<Item = &SearchChange> + Clone,
    ) -> Result<()> {
        // Collect first: the compiler cannot prove that a stream over closures is `Send`.
        let puts: Vec<_> = changes
            .clone()
            .flat_map(|SearchChange { after: Found { searched, version, words }, .. }| {
                SearchItem::all(*searched, words).into_iter().map(|item| (item, *version))
            })
            .map(|(item, version)| self.put_word(item, version))
            .collect();
        stream::iter(puts).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        let deletes: Vec<_> = changes
            .flat_map(|SearchChange { before, after: Found { searched, version, words } }| {
                before.without(words).map(|word| (searched.item_key(word), *version))
            })
            .map(|(key, version)| self.delete_word(key, version))
            .collect();
        stream::iter(deletes).buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Writes a search item, unless a later version of the entity has written it.
    async fn put_word(&self, item: SearchItem, version: u64) -> Result<()> {
        let request = self.client.put_item().table_name(&*self.table);
        let request = request
            .set_item(Some(encode_version(&item, version)?))
            .condition_expression("attribute_not_exists(pk) OR version <= :version")
            .expression_attribute_values(":version", AttributeValue::N(version.to_string()));
        unless_outdated(written(request.send().await, "writing a search item", Error::Stale))
    }

    /// Deletes a search item, unless there is none or a later version of the entity has written it.
    async fn delete_word(&self, key: Key, version: u64) -> Result<()> {
        let request = self.client.delete_item().table_name(&*self.table);
        let request = request
            .set_key(Some(key.into()))
            .condition_expression("version <= :version")
            .expression_attribute_values(":version", AttributeValue::N(version.to_string()));
        unless_outdated(written(request.send().await, "deleting a search item", Error::Stale))
    }
}

/// Accepts that a later version of an entity has already written its item.
fn unless_outdated(written: Result<()>) -> Result<()> {
    match written {
        Err(Error::Stale) => Ok(()),
        written => written,
    }
}
