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
    },
};
use domain::{Contact, Error, Lead, Result, Tenant, Words};
use lambda::fault::Service;

/// Maximum number of search items written at a time.
const AT_ONCE: usize = 8;

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
}

impl Store {
    /// Brings the search items of an entity up to date. Idempotent, in any order: the items end up
    /// with the words that the entity has in the table, even if the change is outdated.
    ///
    /// # Errors
    ///
    /// An error if an item cannot be written; [`Error::Busy`] if the entity keeps changing.
    pub async fn update_search(&self, change: &SearchChange) -> Result<()> {
        let SearchChange { mut before, mut after } = change.clone();
        for _ in 0..MAX_ATTEMPTS {
            self.write_words(&before, &after).await?;
            // Only now, because another consumer may have seen a later version and be done already.
            let stored: Option<SearchSource> = self.get(after.searched.key()).await?;
            let stored = match stored.as_ref().and_then(SearchSource::found) {
                Some(stored) => stored,
                None => Found { words: Words::default(), ..after.clone() },
            };
            if stored.words == after.words {
                return Ok(());
            }
            before.extend(after.words);
            after = stored;
        }
        Err(Error::Busy("an entity kept changing its words"))
    }

    /// Writes the items of a version's words, and deletes those of all other words in `before`.
    async fn write_words(&self, before: &Words, after: &Found) -> Result<()> {
        let Found { searched, version, words } = after;
        let items = SearchItem::all(*searched, words).into_iter();
        // Collect first: the compiler cannot prove that a stream over closures is `Send`.
        let puts: Vec<_> = items.map(|item| self.put_word(item, *version)).collect();
        stream::iter(puts).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        let outdated: Vec<_> = before.without(words).map(|word| searched.item_key(word)).collect();
        let deletes: Vec<_> =
            outdated.into_iter().map(|key| self.delete_word(key, *version)).collect();
        stream::iter(deletes).buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Writes a search item, unless a later version of the entity has written it.
    async fn put_word(&self, item: SearchItem, version: u64) -> Result<()> {
        let request = self.client.put_item().table_name(&*self.table);
        let request = request
            .set_item(Some(encode_version(&item, version)?))
            .condition_expression("attribute_not_exists(pk) OR version <= :version")
            .expression_attribute_values(":version", AttributeValue::N(version.to_string()));
        let Err(cause) = request.send().await else { return Ok(()) };
        match cause.as_service_error() {
            Some(error) if error.is_conditional_check_failed_exception() => Ok(()),
            _ => Err(Service::DynamoDb.error("writing a search item")(cause)),
        }
    }

    /// Deletes a search item, unless there is none or a later version of the entity has written it.
    async fn delete_word(&self, key: Key, version: u64) -> Result<()> {
        let request = self.client.delete_item().table_name(&*self.table);
        let request = request
            .set_key(Some(key.into()))
            .condition_expression("version <= :version")
            .expression_attribute_values(":version", AttributeValue::N(version.to_string()));
        let Err(cause) = request.send().await else { return Ok(()) };
        match cause.as_service_error() {
            Some(error) if error.is_conditional_check_failed_exception() => Ok(()),
            _ => Err(Service::DynamoDb.error("deleting a search item")(cause)),
        }
    }
}
