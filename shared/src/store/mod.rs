//! The one DynamoDB table.

mod cursor;
mod idempotency;
mod item;
mod jobs;
mod key;
mod leads;
mod rates;
mod tenants;
mod transaction;

use std::sync::Arc;

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use serde::de::DeserializeOwned;
use serde_dynamo::{from_item, from_items};

pub use cursor::{Cursor, Page};
pub use idempotency::Claim;
pub use item::Item;
pub use jobs::Change;
pub use key::{IndexKey, Key};
pub use rates::RATE_WINDOW;

use crate::{Env, Error, Result, aws::Aws, config::ConfigError};

/// The table and the client that reaches it.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    table: Arc<str>,
}

impl Store {
    /// The store over the table `TABLE_NAME`.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Missing`] without that variable.
    pub fn from_env(env: &Env, aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: aws.dynamodb(), table: env.required("TABLE_NAME")?.into() })
    }

    /// Opens the connection before the first request needs it, by a read that finds nothing.
    ///
    /// It is an optimisation: where it fails, the first request says why.
    pub async fn warm(&self) {
        let key = Key::idempotency("warm", "up");
        let _ =
            self.client.get_item().table_name(&*self.table).set_key(Some(key.into())).send().await;
    }

    /// The item at `key`, strongly consistent.
    async fn get<T: DeserializeOwned>(&self, key: Key) -> Result<Option<T>> {
        let request = self.client.get_item().table_name(&*self.table).set_key(Some(key.into()));
        let reply = request.consistent_read(true).send().await;
        let item = reply.map_err(Error::aws("reading an item"))?.item;
        item.map(from_item).transpose().map_err(Error::aws("decoding an item"))
    }

    /// The items of a partition whose sort key begins with `prefix`, strongly consistent.
    async fn children<T: DeserializeOwned>(&self, pk: String, prefix: &str) -> Result<Vec<T>> {
        from_items(self.partition(pk, prefix).await?).map_err(Error::aws("decoding items"))
    }

    /// As [`Self::children`], as they are stored. An empty `prefix` is the whole partition.
    async fn partition(&self, pk: String, prefix: &str) -> Result<Vec<item::Attributes>> {
        let mut request = self
            .client
            .query()
            .table_name(&*self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(pk));
        if !prefix.is_empty() {
            request = request
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()));
        }
        let pages = request.into_paginator().items().send();
        pages.collect::<Result<_, _>>().await.map_err(Error::aws("reading a partition"))
    }
}

/// Reads and decides again, up to four times, while what was read changes before the write.
///
/// # Errors
///
/// What `decide` fails with; [`Error::Busy`] where the item kept changing.
pub async fn deciding_again<T>(mut decide: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    for _ in 0..4 {
        match decide().await {
            Err(Error::Stale) => {}
            decided => return decided,
        }
    }
    Err(Error::Busy("an item kept changing"))
}
