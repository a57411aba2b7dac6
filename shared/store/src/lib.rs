//! The DynamoDB table, which holds all entities, and its cache.

mod answer;
mod attention;
mod burial;
mod cache;
mod cached;
mod changes;
mod children;
mod counters;
mod cursor;
mod filling;
mod idempotency;
mod include;
mod inclusions;
mod item;
mod jobs;
mod key;
mod leads;
mod list;
mod newest;
mod overdue;
mod overview;
mod parts;
mod patience;
mod quota;
mod rates;
mod resend;
#[cfg(test)]
mod room;
mod seen;
mod tenants;
mod transaction;
mod walk;

use std::sync::Arc;

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, KeysAndAttributes},
};
use serde::de::DeserializeOwned;

pub use counters::{TOTAL, Tally, of_status};
pub use cursor::Cursor;
pub use idempotency::Claim;
pub use include::Related;
pub use inclusions::{Allowance, Inclusions};
use item::{Attributes, decode, decode_living, encode_version, is_deleted, kind_of};
pub use item::{Item, Stored};
pub use jobs::Change;
pub use key::{IndexKey, Key};
pub use list::{Ask, Found, Listed, Page, Writable};
pub use overdue::{Next, Overdue, OverdueJob, OverdueJobs};
pub use overview::{ONBOARDED, days_of_month, of_day};
pub use parts::Paging;
pub use patience::deciding_again;
pub use quota::CHILDREN_OF_A_LEAD;
pub use tenants::KeyState;

use crate::cache::Cache;
use domain::{Error, ReservedKeys, Result, Tenant, TenantId};
use lambda::{
    Env,
    aws::Aws,
    config::{ConfigError, reserved_keys},
    fault::Service,
};
use transaction::AT_VERSION;

/// Maximum number of keys in one `BatchGetItem` (AWS limit).
const BATCH: usize = 100;

/// The table, its client and its cache.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    table: Arc<str>,
    cache: Option<Cache>,
    reserved: Arc<ReservedKeys>,
}

impl Store {
    /// Creates a store for the table `TABLE_NAME`, with the cache from [`Cache::from_env`] and the
    /// [`ReservedKeys`] that no tenant may take.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a variable is missing or malformed.
    pub fn from_env(env: &Env, aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            client: aws_sdk_dynamodb::Client::new(&aws.service("DYNAMODB")),
            table: env.required("TABLE_NAME")?.into(),
            cache: Cache::from_env(env, aws)?,
            reserved: reserved_keys(env)?.into(),
        })
    }

    /// Opens the connections to the table and the cache before the first request. The table is
    /// opened by reading a key that does not exist.
    ///
    /// Failures are ignored, because the first request will report them.
    pub async fn warm(&self) {
        let key = Key::idempotency("warm", "up");
        let read = self.client.get_item().table_name(&*self.table).set_key(Some(key.into())).send();
        let cache = async {
            if let Some(cache) = &self.cache {
                cache.warm().await;
            }
        };
        let _ = tokio::join!(read, cache);
    }

    /// Returns the item at `key`, strongly consistent.
    async fn get<T: DeserializeOwned>(&self, key: Key) -> Result<Option<T>> {
        self.attributes(key).await?.map(decode).transpose()
    }

    /// Returns the item at `key` with its version, strongly consistent. Returns `None` if it is
    /// deleted.
    async fn get_living<T: DeserializeOwned>(&self, key: Key) -> Result<Option<Stored<T>>> {
        let item = self.attributes(key).await?;
        item.map(decode_living).transpose().map(Option::flatten)
    }

    async fn attributes(&self, key: Key) -> Result<Option<Attributes>> {
        let request = self.client.get_item().table_name(&*self.table).set_key(Some(key.into()));
        let reply = request.consistent_read(true).send().await;
        Ok(reply.map_err(Service::DynamoDb.error("reading an item"))?.item)
    }

    /// Returns the existing items at `keys`, strongly consistent, in no particular order.
    async fn get_all(&self, keys: &[Key]) -> Result<Vec<Attributes>> {
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

    /// Replaces an item that was read at version `read_at`.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the version has changed.
    async fn replace<T: Item>(&self, item: &T, read_at: u64) -> Result<()> {
        let request = self
            .client
            .put_item()
            .table_name(&*self.table)
            .set_item(Some(encode_version(item, read_at + 1)?))
            .condition_expression(AT_VERSION)
            .expression_attribute_values(":version", AttributeValue::N(read_at.to_string()));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(cause) => match cause.as_service_error() {
                Some(error) if error.is_conditional_check_failed_exception() => Err(Error::Stale),
                _ => Err(Error::internal("replacing an item")(cause)),
            },
        }
    }

    /// Returns a tenant and its children of one kind, strongly consistent, in one read.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such tenant or it was deleted.
    async fn tenant_with<T: Item>(&self, id: TenantId, prefix: &str) -> Result<(Tenant, Vec<T>)> {
        let (tenant, children) = self.tenant_and(id, prefix, &[T::KIND]).await?;
        Ok((tenant, children.into_iter().map(decode).collect::<Result<_>>()?))
    }

    /// Returns a tenant and the items of these `kinds` in its partition, from `prefix` on.
    ///
    /// `TENANT` is the last sort key of a partition, so one range from `prefix` to the end holds
    /// both. Items of other kinds in between are skipped.
    async fn tenant_and(
        &self,
        id: TenantId,
        prefix: &str,
        kinds: &[&str],
    ) -> Result<(Tenant, Vec<Attributes>)> {
        let pages = self
            .client
            .query()
            .table_name(&*self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :tenant AND sk >= :prefix")
            .expression_attribute_values(":tenant", AttributeValue::S(Key::tenant_partition(id)))
            .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
            .into_paginator()
            .items()
            .send();
        let items: Vec<Attributes> = pages
            .collect::<Result<_, _>>()
            .await
            .map_err(Error::internal("reading a tenant's partition"))?;
        let (mut tenant, mut children) = (None::<Tenant>, Vec::new());
        for item in items.into_iter().filter(|item| !is_deleted(item)) {
            match kind_of(&item) {
                Some(kind) if kind == Tenant::KIND => tenant = Some(decode(item)?),
                Some(kind) if kinds.contains(&kind) => children.push(item),
                _ => {}
            }
        }
        let tenant = tenant.ok_or_else(|| Error::not_found(id))?;
        Ok((tenant, children))
    }
}
