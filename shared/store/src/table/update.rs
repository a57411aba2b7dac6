use std::collections::HashMap;

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    types::AttributeValue,
};
use futures_util::FutureExt;
use serde::Serialize;

use crate::{
    Store,
    table::{
        index::{Index, IndexKey, Partition},
        item::{Attributes, Item, encode_part, encode_version},
        key::Key,
    },
};
use domain::{Error, Result};
use lambda::fault::Service;

/// Condition that an item still has the version that was read.
pub(crate) const AT_VERSION: &str = "version = :version";

/// The code of a write whose condition did not hold.
const REFUSED: &str = "ConditionalCheckFailedException";

/// An update expression with its condition and values. Adds 1 to the item's `version`.
pub(crate) struct Update {
    set: Vec<String>,
    remove: Vec<&'static str>,
    pub(crate) condition: String,
    pub(crate) values: Result<Attributes>,
}

impl Update {
    /// Starts an update that requires `condition`.
    pub(crate) fn when(condition: impl Into<String>) -> Self {
        let (condition, values) = (condition.into(), Ok(Attributes::new()));
        Self { set: Vec::new(), remove: Vec::new(), condition, values }.given("one", 1)
    }

    /// Sets `path` to a value, which expressions refer to as `:name`.
    pub(crate) fn set(mut self, path: &str, name: &str, value: impl Serialize) -> Self {
        self.set.push(format!("{path} = :{name}"));
        self.given(name, value)
    }

    /// Appends a value to the list at `path`.
    pub(crate) fn append(mut self, path: &str, name: &str, value: impl Serialize) -> Self {
        self.set.push(format!("{path} = list_append({path}, :{name})"));
        self.given(name, [value])
    }

    /// Appends a value to the list at `path`, which may be missing.
    pub(crate) fn append_or_start(mut self, path: &str, name: &str, value: impl Serialize) -> Self {
        self.set.push(format!("{path} = list_append(if_not_exists({path}, :no_{name}), :{name})"));
        self.given(&format!("no_{name}"), Vec::<()>::new()).given(name, [value])
    }

    /// Adds 1 to the number at `path`. A missing number starts at the value `:start`.
    pub(crate) fn increase(mut self, path: &str, start: &str) -> Self {
        self.set.push(format!("{path} = if_not_exists({path}, :{start}) + :one"));
        self
    }

    /// Removes the attribute at `path`.
    pub(crate) fn remove(mut self, path: &'static str) -> Self {
        self.remove.push(path);
        self
    }

    /// Places the item in an index, with this key.
    pub(crate) fn set_index(self, key: IndexKey) -> Self {
        key.attributes()
            .into_iter()
            .fold(self, |update, (name, value)| update.set(name, name, value))
    }

    /// Moves the item to another partition of an index that contains it.
    pub(crate) fn set_partition(self, Partition { index, pk }: Partition) -> Self {
        self.set(index.pk(), index.pk(), pk)
    }

    /// Removes the item from an index.
    pub(crate) fn remove_index(self, index: Index) -> Self {
        self.remove(index.pk()).remove(index.sk())
    }

    /// Stamps how the write came about, for the audit log.
    pub(crate) fn traced(self) -> Self {
        self.set("trace", "trace", lambda::trace::current())
    }

    /// Adds a value that the condition refers to as `:name`.
    pub(crate) fn given(mut self, name: &str, value: impl Serialize) -> Self {
        self.values = self.values.and_then(|mut values| {
            values.insert(format!(":{name}"), encode_part(value)?);
            Ok(values)
        });
        self
    }

    /// Returns the expression attribute names in use, for attributes that are DynamoDB reserved
    /// words.
    pub(crate) fn names(&self) -> Option<HashMap<String, String>> {
        let used = |name: &&str| {
            let alias = format!("#{name}");
            let is_set = self.set.iter().any(|set| set.contains(&alias));
            self.condition.contains(&alias) || is_set || self.remove.contains(&alias.as_str())
        };
        let names: HashMap<_, _> = ["isolation", "name", "plan", "roles", "state", "status"]
            .iter()
            .filter(|name| used(name))
            .map(|name| (format!("#{name}"), (*name).to_owned()))
            .collect();
        (!names.is_empty()).then_some(names)
    }

    /// Returns the update expression.
    pub(crate) fn expression(&self) -> String {
        let mut expression = "ADD version :one".to_owned();
        for (verb, parts) in [(" SET ", self.set.join(", ")), (" REMOVE ", self.remove.join(", "))]
        {
            if !parts.is_empty() {
                expression.push_str(verb);
                expression.push_str(&parts);
            }
        }
        expression
    }
}

impl Store {
    /// Replaces an item that was read at version `read_at`.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the version has changed.
    pub(crate) async fn replace<T: Item>(&self, item: &T, read_at: u64) -> Result<()> {
        if self.completion.is_some() {
            return self.transaction().replace(item, read_at, Error::Stale)?.commit().await;
        }
        let request = self
            .client
            .put_item()
            .table_name(&*self.table)
            .set_item(Some(encode_version(item, read_at + 1)?))
            .condition_expression(AT_VERSION)
            .expression_attribute_values(":version", AttributeValue::N(read_at.to_string()));
        match request.send().boxed().await {
            Ok(_) => Ok(()),
            Err(cause) => match cause.as_service_error() {
                Some(error) if error.is_conditional_check_failed_exception() => Err(Error::Stale),
                _ => Err(Error::internal("replacing an item")(cause)),
            },
        }
    }

    /// Writes an item whose ID this process has just generated. The condition keeps a write that the SDK
    /// repeats after a lost answer from undoing changes that have followed the first.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the item cannot be written.
    pub(crate) async fn put_generated(&self, item: Attributes, doing: &'static str) -> Result<()> {
        let put = self.client.put_item().table_name(&*self.table).set_item(Some(item));
        match put.condition_expression("attribute_not_exists(pk)").send().boxed().await {
            // Only the first of two such writes can have used the ID.
            Err(cause) if cause.code() == Some(REFUSED) => Ok(()),
            sent => sent.map(drop).map_err(Error::internal(doing)),
        }
    }

    /// Updates one item. Fails with `otherwise` if the condition does not hold.
    pub(crate) async fn update(&self, key: Key, change: Update, otherwise: Error) -> Result<()> {
        if self.completion.is_some() {
            return self.transaction().update(key, change, otherwise)?.commit().await;
        }
        let change = change.traced();
        let request = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(key.into()))
            .update_expression(change.expression())
            .condition_expression(&change.condition)
            .set_expression_attribute_names(change.names())
            .set_expression_attribute_values(Some(change.values?));
        written(request.send().boxed().await, "changing an item", otherwise)
    }
}

/// Returns the result of a conditional write: `refused` if the condition did not hold.
pub(crate) fn written<T, E>(
    sent: Result<T, SdkError<E>>,
    doing: &'static str,
    refused: Error,
) -> Result<()>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match sent {
        Ok(_) => Ok(()),
        Err(cause) if cause.code() == Some(REFUSED) => Err(refused),
        Err(cause) => Err(Service::DynamoDb.error(doing)(cause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_increments_the_version_and_changes_what_it_names() {
        let update = Update::when("#state = :was")
            .given("was", "queued")
            .set("#state", "now", "running")
            .append("steps", "step", "running")
            .increase("attempts", "none")
            .set_index(Partition::open_jobs().key("2026", "j1"))
            .remove("reason")
            .remove_index(Index::Value);
        assert_eq!(
            update.expression(),
            "ADD version :one SET #state = :now, steps = list_append(steps, :step), \
             attempts = if_not_exists(attempts, :none) + :one, gsi1pk = :gsi1pk, gsi1sk = :gsi1sk \
             REMOVE reason, gsi2pk, gsi2sk"
        );
        assert_eq!(update.names().unwrap(), [("#state".into(), "state".into())].into());
        let mut values: Vec<_> = update.values.unwrap().into_keys().collect();
        values.sort();
        assert_eq!(values, [":gsi1pk", ":gsi1sk", ":now", ":one", ":step", ":was"]);
    }

    #[test]
    fn an_update_without_reserved_words_has_no_aliases() {
        let update = Update::when("attribute_exists(pk)").set("statusText", "text", "x");
        assert_eq!(update.names(), None);
        assert_eq!(update.expression(), "ADD version :one SET statusText = :text");
    }
}
