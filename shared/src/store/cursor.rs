use aws_sdk_dynamodb::types::AttributeValue;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    IndexKey, Store,
    item::{Attributes, decode},
};
use crate::{Error, Result, keys::MasterKeys};

/// Where the next page of a list begins: opaque to clients, signed, bound to its list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    list: String,
    pk: String,
    sk: String,
    order: String,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next one begins; `None` on the last.
    pub next: Option<Cursor>,
}

impl Cursor {
    /// As it goes into a link.
    #[must_use]
    pub fn seal(&self, keys: &MasterKeys) -> String {
        let text = [&*self.list, &self.pk, &self.sk, &self.order].join("\n");
        let mut bytes = keys.cursor_tag(text.as_bytes());
        bytes.extend_from_slice(text.as_bytes());
        BASE64.encode(bytes)
    }

    /// Opens what a client sends back.
    ///
    /// # Errors
    ///
    /// [`Error::BadParameter`] where it is not ours, was altered, or belongs to another list.
    pub fn open(sealed: &str, kind: &str, keys: &MasterKeys) -> Result<Self> {
        let opened = BASE64.decode(sealed).ok().and_then(|bytes| {
            let (tag, text) = bytes.split_at_checked(16)?;
            let genuine = keys.is_cursor_tag(text, tag);
            let mut parts = std::str::from_utf8(text).ok().filter(|_| genuine)?.split('\n');
            let mut part = || parts.next().map(str::to_owned);
            Some(Self { list: part()?, pk: part()?, sk: part()?, order: part()? })
        });
        let bad = || Error::BadParameter("cursor: is not one that this list gave out".to_owned());
        opened.filter(|cursor| cursor.list == IndexKey::list_of(kind)).ok_or_else(bad)
    }

    fn of_key(list: &str, mut key: Attributes) -> Option<Self> {
        let mut part = |name| match key.remove(name) {
            Some(AttributeValue::S(part)) => Some(part),
            _ => None,
        };
        Some(Self { list: list.into(), pk: part("pk")?, sk: part("sk")?, order: part("gsi1sk")? })
    }

    fn key(&self) -> Attributes {
        [("pk", &self.pk), ("sk", &self.sk), ("gsi1pk", &self.list), ("gsi1sk", &self.order)]
            .map(|(name, part)| (name.into(), AttributeValue::S(part.clone())))
            .into()
    }
}

impl Store {
    /// Up to `limit` of a kind, newest first, from `after` on; eventually consistent.
    pub(super) async fn list<T: Serialize + DeserializeOwned>(
        &self,
        kind: &str,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<T>> {
        let list = IndexKey::list_of(kind);
        let reply = self
            .client
            .query()
            .table_name(&*self.table)
            .index_name("gsi1")
            .key_condition_expression("gsi1pk = :list")
            .expression_attribute_values(":list", AttributeValue::S(list.clone()))
            .scan_index_forward(false)
            .limit(limit.into())
            .set_exclusive_start_key(after.map(Cursor::key))
            .send()
            .await
            .map_err(Error::aws("listing"))?;
        let next = reply.last_evaluated_key.and_then(|key| Cursor::of_key(&list, key));
        let items = reply.items.unwrap_or_default().into_iter().map(decode).collect::<Result<_>>();
        Ok(Page { items: items?, next })
    }
}
