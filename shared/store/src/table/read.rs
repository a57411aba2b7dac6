use aws_sdk_dynamodb::types::KeysAndAttributes;
use serde::de::DeserializeOwned;

use crate::{
    Store,
    table::{
        item::{Attributes, Stored, decode, decode_active},
        key::Key,
    },
};
use domain::{Error, Result};
use lambda::fault::Service;

/// Maximum number of keys in one `BatchGetItem` (AWS limit).
pub(crate) const BATCH: usize = 100;

impl Store {
    /// Returns the item at `key`, strongly consistent.
    pub(crate) async fn get<T: DeserializeOwned>(&self, key: Key) -> Result<Option<T>> {
        self.attributes(key).await?.map(decode).transpose()
    }

    /// Returns the item at `key` with its version, strongly consistent. Returns `None` if it is
    /// deleted.
    pub(crate) async fn get_active<T: DeserializeOwned>(
        &self,
        key: Key,
    ) -> Result<Option<Stored<T>>> {
        let item = self.attributes(key).await?;
        item.map(decode_active).transpose().map(Option::flatten)
    }

    pub(crate) async fn attributes(&self, key: Key) -> Result<Option<Attributes>> {
        let request = self.client.get_item().table_name(&*self.table).set_key(Some(key.into()));
        let reply = request.consistent_read(true).send().await;
        Ok(reply.map_err(Service::DynamoDb.error("reading an item"))?.item)
    }

    /// Returns the existing items at `keys`, strongly consistent, in no particular order.
    pub(crate) async fn get_all(&self, keys: &[Key]) -> Result<Vec<Attributes>> {
        let mut found = Vec::new();
        for chunk in keys.chunks(BATCH) {
            let keys = chunk.iter().cloned().map(Attributes::from).collect();
            let mut asked =
                Some(KeysAndAttributes::builder().consistent_read(true).set_keys(Some(keys)));
            while let Some(keys) = asked.take() {
                let keys = keys.build().map_err(Error::internal("building a batch"))?;
                let request = self.client.batch_get_item().request_items(&*self.table, keys);
                let reply = request.send().await.map_err(Error::internal("reading items"))?;
                let items = reply.responses.unwrap_or_default().remove(&*self.table);
                found.extend(items.unwrap_or_default());
                // DynamoDB may leave keys unprocessed, so request them again.
                let left = reply.unprocessed_keys.unwrap_or_default().remove(&*self.table);
                asked = left.filter(|left| !left.keys.is_empty()).map(|left| {
                    KeysAndAttributes::builder().consistent_read(true).set_keys(Some(left.keys))
                });
            }
        }
        Ok(found)
    }
}
