use aws_sdk_dynamodb::types::KeysAndAttributes;
use serde::de::DeserializeOwned;

use crate::{
    Store,
    table::{
        answer::{BatchGetItem, GetItem, Unprocessed, answer},
        item::{Attributes, Stored},
        key::Key,
        raw_item::RawItem,
    },
};
use domain::{Error, Result};

/// Maximum number of keys in one `BatchGetItem` (AWS limit).
pub(crate) const BATCH: usize = 100;

impl Store {
    /// Returns the item at `key`, strongly consistent.
    pub(crate) async fn get<T: DeserializeOwned>(&self, key: Key) -> Result<Option<T>> {
        self.raw_item(key).await?.map(|item| item.decode()).transpose()
    }

    /// Returns the item at `key` with its version, strongly consistent. Returns `None` if it is
    /// deleted.
    pub(crate) async fn get_active<T: DeserializeOwned>(
        &self,
        key: Key,
    ) -> Result<Option<Stored<T>>> {
        let item = self.raw_item(key).await?;
        item.map(|item| item.decode_active()).transpose().map(Option::flatten)
    }

    async fn raw_item(&self, key: Key) -> Result<Option<RawItem>> {
        let request = self.client.get_item().table_name(&*self.table).set_key(Some(key.into()));
        let sent = request.consistent_read(true).send();
        Ok(answer::<GetItem, _, _>(sent, "reading an item").await?.item)
    }

    /// Returns the existing items at `keys`, strongly consistent, in no particular order.
    pub(crate) async fn get_all(&self, keys: &[Key]) -> Result<Vec<RawItem>> {
        let mut found = Vec::new();
        for chunk in keys.chunks(BATCH) {
            let mut left: Vec<_> = chunk.iter().cloned().map(Attributes::from).collect();
            while !left.is_empty() {
                let (items, unprocessed) = self.get_batch(left).await?;
                found.extend(items);
                // DynamoDB may leave keys unprocessed, so request them again.
                left = unprocessed;
            }
        }
        Ok(found)
    }

    /// Returns the existing items at `keys`, and the keys that are left.
    async fn get_batch(&self, keys: Vec<Attributes>) -> Result<(Vec<RawItem>, Vec<Attributes>)> {
        let keys = KeysAndAttributes::builder().consistent_read(true).set_keys(Some(keys));
        let keys = keys.build().map_err(Error::internal("building a batch"))?;
        let request = self.client.batch_get_item().request_items(&*self.table, keys);
        let mut answer: BatchGetItem = answer(request.send(), "reading items").await?;
        let left = answer.unprocessed_keys.remove(&*self.table);
        let left = left.into_iter().flat_map(|Unprocessed { keys }| keys);
        let items = answer.responses.remove(&*self.table).unwrap_or_default();
        Ok((items, left.map(|key| key.key_attributes()).collect()))
    }
}
