use std::collections::HashMap;

use serde::Serialize;

use super::{
    Key, Store,
    item::{Attributes, encode_part},
};
use crate::{Error, Result, fault::Service};

/// What an update does to an item, and what it assumes of it. Adds 1 to its `version`.
pub(super) struct Changes {
    set: Vec<String>,
    remove: Vec<&'static str>,
    pub(super) condition: String,
    pub(super) values: Result<Attributes>,
}

impl Changes {
    /// No changes yet, to be made if `condition` holds.
    pub(super) fn when(condition: impl Into<String>) -> Self {
        let (condition, values) = (condition.into(), Ok(Attributes::new()));
        Self { set: Vec::new(), remove: Vec::new(), condition, values }.given("one", 1)
    }

    /// Sets `path` to the value that goes by `name` in expressions.
    pub(super) fn set(mut self, path: &str, name: &str, value: impl Serialize) -> Self {
        self.set.push(format!("{path} = :{name}"));
        self.given(name, value)
    }

    /// Appends to the list at `path`.
    pub(super) fn append(mut self, path: &str, name: &str, value: impl Serialize) -> Self {
        self.set.push(format!("{path} = list_append({path}, :{name})"));
        self.given(name, [value])
    }

    /// Adds 1 to the number at `path`, which starts at the value that goes by `start`.
    pub(super) fn increase(mut self, path: &str, start: &str) -> Self {
        self.set.push(format!("{path} = if_not_exists({path}, :{start}) + :one"));
        self
    }

    /// Removes the attribute at `path`.
    pub(super) fn remove(mut self, path: &'static str) -> Self {
        self.remove.push(path);
        self
    }

    /// Gives a value a `name` that the condition may use.
    pub(super) fn given(mut self, name: &str, value: impl Serialize) -> Self {
        self.values = self.values.and_then(|mut values| {
            values.insert(format!(":{name}"), encode_part(value)?);
            Ok(values)
        });
        self
    }

    /// What `#name` stands for: attributes whose names DynamoDB reserves.
    pub(super) fn names(&self) -> Option<HashMap<String, String>> {
        let used = |name: &&str| {
            let alias = format!("#{name}");
            self.condition.contains(&alias) || self.set.iter().any(|set| set.contains(&alias))
        };
        let names: HashMap<_, _> = ["state", "status"]
            .iter()
            .filter(|name| used(name))
            .map(|name| (format!("#{name}"), (*name).to_owned()))
            .collect();
        (!names.is_empty()).then_some(names)
    }

    /// The update expression.
    pub(super) fn expression(&self) -> String {
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
    /// One conditional update; fails with `otherwise` where its condition does not hold.
    pub(super) async fn change(&self, key: Key, change: Changes, otherwise: Error) -> Result<()> {
        let request = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(key.into()))
            .update_expression(change.expression())
            .condition_expression(&change.condition)
            .set_expression_attribute_names(change.names())
            .set_expression_attribute_values(Some(change.values?));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(cause) => match cause.as_service_error() {
                Some(error) if error.is_conditional_check_failed_exception() => Err(otherwise),
                _ => Err(Error::of(Service::DynamoDb, "changing an item")(cause)),
            },
        }
    }
}
