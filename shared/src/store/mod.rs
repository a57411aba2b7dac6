//! The one DynamoDB table.

mod attention;
mod burial;
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

use crate::{
    Env, Error, Result,
    aws::Aws,
    cache::Cache,
    config::{ConfigError, reserved_keys},
    domain::{ReservedKeys, Tenant, TenantId},
    fault::Service,
};
use transaction::AT_VERSION;

/// The most keys of one `BatchGetItem` (AWS limit).
const BATCH: usize = 100;

/// The table and the client that reaches it.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    table: Arc<str>,
    cache: Option<Cache>,
    reserved: Arc<ReservedKeys>,
}

impl Store {
    /// The store over the table `TABLE_NAME`, with the cache of [`Cache::from_env`] and the
    /// [`ReservedKeys`] that no tenant gets from it.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the variable that is missing or malformed.
    pub fn from_env(env: &Env, aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            client: aws.dynamodb(),
            table: env.required("TABLE_NAME")?.into(),
            cache: Cache::from_env(env, aws)?,
            reserved: reserved_keys(env)?.into(),
        })
    }

    /// Opens the connections before the first request needs them, the table's by a read that finds
    /// nothing.
    ///
    /// It is an optimisation: where it fails, the first request says why.
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

    /// The item at `key`, strongly consistent.
    async fn get<T: DeserializeOwned>(&self, key: Key) -> Result<Option<T>> {
        self.attributes(key).await?.map(decode).transpose()
    }

    /// The item at `key` with its version, strongly consistent; `None` where it is deleted.
    async fn get_living<T: DeserializeOwned>(&self, key: Key) -> Result<Option<Stored<T>>> {
        let item = self.attributes(key).await?;
        item.map(decode_living).transpose().map(Option::flatten)
    }

    async fn attributes(&self, key: Key) -> Result<Option<Attributes>> {
        let request = self.client.get_item().table_name(&*self.table).set_key(Some(key.into()));
        let reply = request.consistent_read(true).send().await;
        Ok(reply.map_err(Error::of(Service::DynamoDb, "reading an item"))?.item)
    }

    /// Those of the items at `keys` that are there, strongly consistent, in no order.
    async fn get_all(&self, keys: &[Key]) -> Result<Vec<Attributes>> {
        let mut found = Vec::new();
        for chunk in keys.chunks(BATCH) {
            let keys = chunk.iter().cloned().map(Attributes::from).collect();
            let mut asked =
                Some(KeysAndAttributes::builder().consistent_read(true).set_keys(Some(keys)));
            while let Some(keys) = asked.take() {
                let keys = keys.build().map_err(Error::aws("building a batch"))?;
                let request = self.client.batch_get_item().request_items(&*self.table, keys);
                let reply = request.send().await.map_err(Error::aws("reading items"))?;
                let items = reply.responses.unwrap_or_default().remove(&*self.table);
                found.extend(items.unwrap_or_default());
                // What DynamoDB had no time for is asked for again.
                let left = reply.unprocessed_keys.unwrap_or_default().remove(&*self.table);
                asked = left.filter(|left| !left.keys.is_empty()).map(|left| {
                    KeysAndAttributes::builder().consistent_read(true).set_keys(Some(left.keys))
                });
            }
        }
        Ok(found)
    }

    /// Writes `item` over the version that was read.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] where it has another one by now.
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
                _ => Err(Error::aws("replacing an item")(cause)),
            },
        }
    }

    /// A tenant and its children of one kind, strongly consistent, in one read.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where there is no such tenant, or it is deleted.
    async fn tenant_with<T: Item>(&self, id: TenantId, prefix: &str) -> Result<(Tenant, Vec<T>)> {
        let (tenant, children) = self.tenant_and(id, prefix, &[T::KIND]).await?;
        Ok((tenant, children.into_iter().map(decode).collect::<Result<_>>()?))
    }

    /// A tenant and the items of these `kinds` in its partition, from `prefix` on.
    ///
    /// `TENANT` is the last sort key of a partition, so the range from a `prefix` on holds both (and
    /// what lies between).
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
            .map_err(Error::aws("reading a tenant's partition"))?;
        let (mut tenant, mut children) = (None::<Tenant>, Vec::new());
        for item in items.into_iter().filter(|item| !is_deleted(item)) {
            match kind_of(&item) {
                Some(kind) if kind == Tenant::KIND => tenant = Some(decode(item)?),
                Some(kind) if kinds.contains(&kind) => children.push(item),
                _ => {}
            }
        }
        let tenant = tenant.ok_or_else(|| Error::not_found("Tenant", id))?;
        Ok((tenant, children))
    }
}
