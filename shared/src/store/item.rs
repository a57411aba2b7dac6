use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
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

/// An item, and the version it was read at.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stored<T> {
    /// What it says.
    pub item: T,
    /// Its version.
    pub version: u64,
}

/// The first version of `item`, as it is stored.
pub(super) fn encode<T: Item>(item: &T) -> Result<Attributes> {
    encode_version(item, 1)
}

/// [`encode`], and the id of the request that `item` comes from, which its events will name.
pub(super) fn encode_from<T: Item>(item: &T, request: &str) -> Result<Attributes> {
    let mut attributes = encode(item)?;
    attributes.insert("requestId".into(), AttributeValue::S(request.into()));
    Ok(attributes)
}

/// A `version` of `item`, as it is stored. A deleted item is in no index.
pub(super) fn encode_version<T: Item>(item: &T, version: u64) -> Result<Attributes> {
    let mut attributes: Attributes = to_item(item).map_err(Error::permanent("encoding an item"))?;
    attributes.retain(|_, value| !value.is_null());
    let places = if is_deleted(&attributes) { Vec::new() } else { item.indexes() };
    attributes.extend(Attributes::from(item.key()));
    for place in places {
        attributes.insert(format!("{}pk", place.index), AttributeValue::S(place.pk));
        attributes.insert(format!("{}sk", place.index), AttributeValue::S(place.sk));
    }
    attributes.insert("entity".into(), AttributeValue::S(T::KIND.into()));
    attributes.insert("version".into(), AttributeValue::N(version.to_string()));
    Ok(attributes)
}

/// A part of an item, such as a nested object, as it is stored.
pub(super) fn encode_part<T: Serialize>(part: T) -> Result<AttributeValue> {
    serde_dynamo::to_attribute_value(part).map_err(Error::permanent("encoding a part of an item"))
}

/// What an item says.
pub(super) fn decode<T: DeserializeOwned>(item: Attributes) -> Result<T> {
    serde_dynamo::from_item(item).map_err(Error::permanent("decoding an item"))
}

/// What an item says, and its version; `None` where it is deleted or has expired.
pub(super) fn decode_living<T: DeserializeOwned>(item: Attributes) -> Result<Option<Stored<T>>> {
    if is_deleted(&item) || has_expired(&item) {
        return Ok(None);
    }
    let version = item.get("version").and_then(|version| version.as_n().ok()?.parse().ok());
    let version = version.ok_or("it has none").map_err(Error::aws("reading a version"))?;
    Ok(Some(Stored { item: decode(item)?, version }))
}

/// What those of `items` say that are not deleted.
pub(super) fn decode_all<T: DeserializeOwned>(items: Vec<Attributes>) -> Result<Vec<Stored<T>>> {
    items.into_iter().filter_map(|item| decode_living(item).transpose()).collect()
}

/// What an item says it is.
pub(super) fn kind_of(item: &Attributes) -> Option<&str> {
    item.get("entity")?.as_s().ok().map(String::as_str)
}

/// Returns whether an item is to be deleted by now, which DynamoDB does within a few days.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ttl-expired-items.html>
fn has_expired(item: &Attributes) -> bool {
    let expiry = item.get("expiresAt").and_then(|expiry| expiry.as_n().ok()?.parse::<i64>().ok());
    expiry.is_some_and(|expiry| expiry <= crate::now().seconds())
}

/// Whether an item is softly deleted.
pub(super) fn is_deleted(item: &Attributes) -> bool {
    matches!(item.get("deleted"), Some(AttributeValue::Bool(true)))
}
