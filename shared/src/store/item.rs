use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Serialize, de::DeserializeOwned};
use serde_dynamo::to_item;

use super::{IndexKey, Key};
use crate::{Error, Result};

/// An item as it is stored.
pub(super) type Attributes = HashMap<String, AttributeValue>;

/// A value stored as one item.
///
/// Beside the value's own attributes an item has its keys, its `entity` and its `version`, which
/// starts at 1 and grows with every change. What is absent in the value is absent in the item,
/// never NULL, so that `attribute_not_exists` tells it.
pub trait Item: Serialize + DeserializeOwned {
    /// Says what the item is, to the stream's readers and to people.
    const KIND: &'static str;

    /// Where the item lives.
    fn key(&self) -> Key;

    /// The indexes it is found by.
    fn indexes(&self) -> Vec<IndexKey> {
        Vec::new()
    }
}

/// The first version of `item`, as it is stored.
pub(super) fn encode<T: Item>(item: &T) -> Result<Attributes> {
    let mut attributes: Attributes = to_item(item).map_err(Error::aws("encoding an item"))?;
    attributes.retain(|_, value| !value.is_null());
    attributes.extend(Attributes::from(item.key()));
    for place in item.indexes() {
        attributes.insert(format!("{}pk", place.index), AttributeValue::S(place.pk));
        attributes.insert(format!("{}sk", place.index), AttributeValue::S(place.sk));
    }
    attributes.insert("entity".into(), AttributeValue::S(T::KIND.into()));
    attributes.insert("version".into(), AttributeValue::N("1".into()));
    Ok(attributes)
}

/// A part of an item, such as a nested object, as it is stored.
pub(super) fn encode_part<T: Serialize>(part: T) -> Result<AttributeValue> {
    serde_dynamo::to_attribute_value(part).map_err(Error::aws("encoding a part of an item"))
}

/// What an item says.
pub(super) fn decode<T: DeserializeOwned>(item: Attributes) -> Result<T> {
    serde_dynamo::from_item(item).map_err(Error::aws("decoding an item"))
}

/// Whether an item is softly deleted.
pub(super) fn is_deleted(item: &Attributes) -> bool {
    matches!(item.get("deleted"), Some(AttributeValue::Bool(true)))
}
