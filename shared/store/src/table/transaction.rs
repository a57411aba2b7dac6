#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{
        self, AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem,
        builders::{DeleteBuilder, PutBuilder, UpdateBuilder},
    },
};
use futures_util::FutureExt;

use crate::{
    Store,
    table::{
        item::{Attributes, Item, encode, encode_from, encode_version},
        key::Key,
        retry::{MAX_ATTEMPTS, wait},
        update::{AT_VERSION, Update},
    },
};
use domain::{Error, Result};
use lambda::fault::{Fault, Service};

/// A set of writes that are committed together or not at all.
///
/// Each conditional write carries the [`Error`] to return if its condition fails, because DynamoDB
/// reports a failed condition only by its position.
#[must_use = "nothing is written until `commit`"]
pub(crate) struct Transaction<'a> {
    store: &'a Store,
    writes: Vec<(TransactWriteItem, Option<Error>)>,
}

impl Store {
    /// Starts a transaction.
    pub(crate) fn transaction(&self) -> Transaction<'_> {
        Transaction { store: self, writes: Vec::new() }
    }
}

impl Transaction<'_> {
    /// Inserts a new item.
    pub(crate) fn insert<T: Item>(self, item: &T) -> Result<Self> {
        self.put_new(encode(item)?, None)
    }

    /// Inserts a new item that was created by the request with this ID.
    pub(crate) fn insert_from<T: Item>(self, item: &T, request: &str) -> Result<Self> {
        self.put_new(encode_from(item, request)?, None)
    }

    /// Writes an item that nobody else writes, whether it exists or not. Another write of the
    /// transaction holds the condition.
    pub(crate) fn put_any<T: Item>(self, item: &T) -> Result<Self> {
        self.put(Put::builder().set_item(Some(encode(item)?)), None)
    }

    /// Claims a unique key and stores `attributes` with the claim. Fails with `taken` if the key is
    /// already claimed.
    pub(crate) fn claim(self, key: Key, attributes: Attributes, taken: Error) -> Result<Self> {
        self.put_new(with_key(key, attributes), Some(taken))
    }

    /// Claims a unique key. Unlike [`Transaction::claim`], it succeeds if the tenant `holder`
    /// already holds the key.
    pub(crate) fn reclaim(
        self,
        key: Key,
        attributes: Attributes,
        holder: String,
        taken: Error,
    ) -> Result<Self> {
        let put = Put::builder()
            .set_item(Some(with_key(key, attributes)))
            .condition_expression("attribute_not_exists(pk) OR tenantId = :holder")
            .expression_attribute_values(":holder", AttributeValue::S(holder));
        self.put(put, Some(taken))
    }

    /// Replaces the attributes of the claim at `key` if the lead `holder` still holds it. Fails
    /// with `otherwise` if not.
    pub(crate) fn transfer(
        self,
        key: Key,
        attributes: Attributes,
        holder: String,
        otherwise: Error,
    ) -> Result<Self> {
        let put = Put::builder()
            .set_item(Some(with_key(key, attributes)))
            .condition_expression("leadId = :holder")
            .expression_attribute_values(":holder", AttributeValue::S(holder));
        self.put(put, Some(otherwise))
    }

    /// Puts an item under the condition of `put`. Fails with `otherwise` if it does not hold.
    pub(crate) fn put_if(self, put: PutBuilder, otherwise: Error) -> Result<Self> {
        self.put(put, Some(otherwise))
    }

    /// Writes an auxiliary item, such as the owner of a child.
    pub(crate) fn put_auxiliary(self, key: Key, attributes: Attributes) -> Result<Self> {
        self.put_new(with_key(key, attributes), None)
    }

    /// Updates the item at `key` if the condition of `change` holds. Fails with `otherwise` if not.
    pub(crate) fn update(self, key: Key, change: Update, otherwise: Error) -> Result<Self> {
        let change = change.traced();
        let update = types::Update::builder()
            .set_key(Some(key.into()))
            .update_expression(change.expression())
            .condition_expression(&change.condition)
            .set_expression_attribute_names(change.names())
            .set_expression_attribute_values(Some(change.values?));
        self.update_as(update, otherwise)
    }

    /// Adds `update` to the transaction. Fails with `otherwise` if its condition does not hold.
    pub(crate) fn update_as(
        mut self,
        update: UpdateBuilder,
        otherwise: impl Into<Option<Error>>,
    ) -> Result<Self> {
        let update = update.table_name(&*self.store.table).build();
        let update = update.map_err(Error::internal("building an update"))?;
        self.writes.push((TransactWriteItem::builder().update(update).build(), otherwise.into()));
        Ok(self)
    }

    /// Replaces an item that was read at version `read_at`. Fails with `otherwise` if the version
    /// has changed.
    pub(crate) fn replace<T: Item>(self, item: &T, read_at: u64, otherwise: Error) -> Result<Self> {
        let put = Put::builder()
            .set_item(Some(encode_version(item, read_at + 1)?))
            .condition_expression(AT_VERSION)
            .expression_attribute_values(":version", AttributeValue::N(read_at.to_string()));
        self.put(put, Some(otherwise))
    }

    /// Requires that the item at `key` exists and is not deleted. Fails with `otherwise` if not.
    pub(crate) fn require(self, key: Key, otherwise: Error) -> Result<Self> {
        self.check(key, ("deleted = :no", ":no", AttributeValue::Bool(false)), otherwise)
    }

    /// Requires that the item at `key` still has this version. Fails with `otherwise` if not.
    pub(crate) fn require_version(self, key: Key, version: u64, otherwise: Error) -> Result<Self> {
        let version = AttributeValue::N(version.to_string());
        self.check(key, (AT_VERSION, ":version", version), otherwise)
    }

    /// Requires that the attribute `name` of the item at `key` has this value, and that the item is not
    /// deleted. Fails with `otherwise` if not.
    pub(crate) fn require_value(
        mut self,
        key: Key,
        (name, value): (&str, AttributeValue),
        otherwise: Error,
    ) -> Result<Self> {
        let check = ConditionCheck::builder()
            .table_name(&*self.store.table)
            .set_key(Some(key.into()))
            .condition_expression("#name = :value AND deleted = :no")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":value", value)
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .build()
            .map_err(Error::internal("building a check"))?;
        let write = TransactWriteItem::builder().condition_check(check).build();
        self.writes.push((write, Some(otherwise)));
        Ok(self)
    }

    fn check(
        mut self,
        key: Key,
        (condition, name, value): (&str, &str, AttributeValue),
        otherwise: Error,
    ) -> Result<Self> {
        let check = ConditionCheck::builder()
            .table_name(&*self.store.table)
            .set_key(Some(key.into()))
            .condition_expression(condition)
            .expression_attribute_values(name, value)
            .build()
            .map_err(Error::internal("building a check"))?;
        let write = TransactWriteItem::builder().condition_check(check).build();
        self.writes.push((write, Some(otherwise)));
        Ok(self)
    }

    /// Releases the claim at `key`, held by `holder`.
    pub(crate) fn release(self, key: Key, holder: String) -> Result<Self> {
        let delete = Delete::builder()
            .condition_expression("holder = :holder")
            .expression_attribute_values(":holder", AttributeValue::S(holder));
        self.delete(key, delete, Error::Stale)
    }

    /// Deletes the item at `key`. Fails with `otherwise` if there is none.
    pub(crate) fn delete_existing(self, key: Key, otherwise: Error) -> Result<Self> {
        self.delete(key, Delete::builder().condition_expression("attribute_exists(pk)"), otherwise)
    }

    /// Deletes the item at `key` if there is one.
    pub(crate) fn delete_any(self, key: Key) -> Result<Self> {
        self.delete(key, Delete::builder(), None)
    }

    fn delete(
        mut self,
        key: Key,
        delete: DeleteBuilder,
        otherwise: impl Into<Option<Error>>,
    ) -> Result<Self> {
        let delete = delete.table_name(&*self.store.table).set_key(Some(key.into())).build();
        let delete = delete.map_err(Error::internal("building a delete"))?;
        self.writes.push((TransactWriteItem::builder().delete(delete).build(), otherwise.into()));
        Ok(self)
    }

    /// Adds to the numbers of the item at `key`. Creates the item if it does not exist.
    pub(crate) fn add(self, key: Key, numbers: &BTreeMap<String, i64>) -> Result<Self> {
        let parts: Vec<_> = numbers.keys().map(|name| format!("#{name} :{name}")).collect();
        let names = numbers.keys().map(|name| (format!("#{name}"), name.clone())).collect();
        let value = |(name, number): (&String, &i64)| {
            (format!(":{name}"), AttributeValue::N(number.to_string()))
        };
        let update = types::Update::builder()
            .set_key(Some(key.into()))
            .update_expression(format!("ADD {}", parts.join(", ")))
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(numbers.iter().map(value).collect()));
        self.update_as(update, None)
    }

    /// Commits all writes, or fails with the error of the first refused write. A store that records
    /// an answer adds it as the last write, so that all other conditions come first.
    ///
    /// DynamoDB and its SDK do not retry a `TransactionConflict`, so this does, after a random
    /// wait.
    ///
    /// # Errors
    ///
    /// The error given for the first refused write; [`Error::Busy`] after too many conflicts.
    pub(crate) async fn commit(self) -> Result<()> {
        let store = self.store;
        let Some(completion) = &store.completion else { return self.commit_writes().await };
        self.complete(completion)?.commit_writes().await?;
        completion.lease.set_recorded();
        Ok(())
    }

    async fn commit_writes(self) -> Result<()> {
        let (writes, mut meanings): (Vec<_>, Vec<_>) = self.writes.into_iter().unzip();
        for attempt in 0..MAX_ATTEMPTS {
            let request = self.store.client.transact_write_items();
            let Err(cause) = request.set_transact_items(Some(writes.clone())).send().boxed().await
            else {
                return Ok(());
            };
            if let Some(position) = reason(&cause, "ConditionalCheckFailed") {
                let meaning = meanings.get_mut(position).and_then(Option::take);
                return Err(meaning.unwrap_or_else(|| Error::internal(COMMITTING)(cause)));
            }
            if reason(&cause, "TransactionConflict").is_none() {
                return Err(failed(cause));
            }
            wait(attempt).await;
        }
        Err(Error::Busy("a transaction kept conflicting with others"))
    }

    /// Puts an item that must not exist yet. Fails with `taken` if it does.
    pub(crate) fn put_new(self, item: Attributes, taken: Option<Error>) -> Result<Self> {
        let put = Put::builder().set_item(Some(item));
        self.put(put.condition_expression("attribute_not_exists(pk)"), taken)
    }

    pub(crate) fn put(mut self, put: PutBuilder, taken: Option<Error>) -> Result<Self> {
        let put = put.table_name(&*self.store.table).build();
        let put = put.map_err(Error::internal("building a put"))?;
        self.writes.push((TransactWriteItem::builder().put(put).build(), taken));
        Ok(self)
    }
}

/// Returns `attributes` with the attributes of `key` added.
pub(crate) fn with_key(key: Key, mut attributes: Attributes) -> Attributes {
    attributes.extend(Attributes::from(key));
    attributes
}

/// Converts the cause of a failed transaction. The error is permanent if a write can never succeed,
/// for example because its item is too large.
fn failed(cause: SdkError<TransactWriteItemsError>) -> Error {
    let is_permanent = |code: &str| Service::DynamoDb.fault(code) == Fault::Permanent;
    let is_refused = match cause.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            let reasons = cancelled.cancellation_reasons();
            reasons.iter().filter_map(|reason| reason.code()).any(is_permanent)
        }
        _ => false,
    };
    if is_refused {
        return Error::permanent(COMMITTING)(cause);
    }
    Service::DynamoDb.error(COMMITTING)(cause)
}

const COMMITTING: &str = "committing a transaction";

/// Returns the position of the first write that was cancelled with this `code`.
fn reason(cause: &SdkError<TransactWriteItemsError>, code: &str) -> Option<usize> {
    match cause.as_service_error()? {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            let reasons = cancelled.cancellation_reasons();
            reasons.iter().position(|reason| reason.code() == Some(code))
        }
        _ => None,
    }
}
