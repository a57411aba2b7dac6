//! The one DynamoDB table.

mod changes;
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

pub use cursor::{Cursor, Page};
pub use idempotency::Claim;
pub use item::Item;
use item::{Attributes, decode, is_deleted};
pub use jobs::Change;
pub use key::{IndexKey, Key};
pub use rates::RATE_WINDOW;

use crate::{
    Env, Error, Result,
    aws::Aws,
    config::ConfigError,
    domain::{Tenant, TenantId},
};

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
        item.map(decode).transpose()
    }

    /// A tenant and its children of one kind, strongly consistent, in one read.
    ///
    /// `TENANT` is the last sort key of a partition, so the range from the children's `prefix` on
    /// holds both (and what lies between).
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where there is no such tenant, or it is deleted.
    async fn tenant_with<T: Item>(&self, id: TenantId, prefix: &str) -> Result<(Tenant, Vec<T>)> {
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
            match item.get("entity").and_then(|kind| kind.as_s().ok()).map(String::as_str) {
                Some(kind) if kind == Tenant::KIND => tenant = Some(decode(item)?),
                Some(kind) if kind == T::KIND => children.push(decode(item)?),
                _ => {}
            }
        }
        let tenant = tenant.ok_or_else(|| Error::not_found("Tenant", id))?;
        Ok((tenant, children))
    }
}

/// Reads and decides again, up to four times, while what was read changes before the write.
///
/// # Errors
///
/// What `decide` fails with; [`Error::Busy`] where the item kept changing.
pub async fn deciding_again<T, F>(mut decide: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    for _ in 0..4 {
        match decide().await {
            Err(Error::Stale) => {}
            decided => return decided,
        }
    }
    Err(Error::Busy("an item kept changing"))
}
