use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_dynamo::to_item;

use crate::table::{index::IndexKey, key::Key, raw_item::RawItem};
use domain::{AuditedKind, Error, Result};

/// The attributes of an item.
pub(crate) type Attributes = HashMap<String, AttributeValue>;

/// A value stored as one item.
///
/// In addition to the value's own attributes, an item has its keys, its `entity` and its `version`,
/// which starts at 1 and grows with every change. Absent values are not stored as NULL, so
/// `attribute_not_exists` detects them.
pub trait Item: Serialize + DeserializeOwned {
    /// The `entity` attribute, which tells readers the kind of the item.
    const ENTITY: &'static str;

    /// Returns the primary key of the item.
    fn key(&self) -> Key;

    /// Returns the index keys of the item.
    fn indexes(&self) -> Vec<IndexKey> {
        Vec::new()
    }
}

/// An item and the version at which it was read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stored<T> {
    /// The decoded item.
    pub item: T,
    /// The version of the item.
    pub version: u64,
}

/// Encodes the first version of an item.
pub(crate) fn encode<T: Item>(item: &T) -> Result<Attributes> {
    encode_version(item, 1)
}

/// Encodes the first version of an item with the ID of the request that created it. The item's
/// events carry this ID.
pub(crate) fn encode_from<T: Item>(item: &T, request: &str) -> Result<Attributes> {
    let mut attributes = encode(item)?;
    attributes.insert("requestId".into(), AttributeValue::S(request.into()));
    Ok(attributes)
}

/// Encodes a version of an item. A deleted item is in no index. An item whose changes the audit log
/// records is stamped with how the write came about.
pub(crate) fn encode_version<T: Item>(item: &T, version: u64) -> Result<Attributes> {
    let mut attributes: Attributes = to_item(item).map_err(Error::permanent("encoding an item"))?;
    attributes.retain(|_, value| !value.is_null());
    let keys = if is_deleted(&attributes) { Vec::new() } else { item.indexes() };
    attributes.extend(Attributes::from(item.key()));
    for (name, value) in keys.into_iter().flat_map(IndexKey::attributes) {
        attributes.insert(name.into(), AttributeValue::S(value));
    }
    attributes.insert("entity".into(), AttributeValue::S(T::ENTITY.into()));
    attributes.insert("version".into(), AttributeValue::N(version.to_string()));
    if AuditedKind::of_entity(T::ENTITY).is_some() {
        attributes.insert("trace".into(), encode_part(lambda::trace::current())?);
    }
    Ok(attributes)
}

/// Encodes part of an item, such as a nested object.
pub(crate) fn encode_part<T: Serialize>(part: T) -> Result<AttributeValue> {
    serde_dynamo::to_attribute_value(part).map_err(Error::permanent("encoding a part of an item"))
}

/// Decodes the items that are neither deleted nor expired.
pub(crate) fn decode_all<T: DeserializeOwned>(items: &[RawItem]) -> Result<Vec<Stored<T>>> {
    items.iter().filter_map(|item| item.decode_active().transpose()).collect()
}

/// Decodes the attributes that a write returned.
pub(crate) fn decode_returned<T: DeserializeOwned>(attributes: Attributes) -> Result<T> {
    serde_dynamo::from_item(attributes).map_err(Error::permanent("decoding an item"))
}

/// Whether an item is soft-deleted.
fn is_deleted(item: &Attributes) -> bool {
    matches!(item.get("deleted"), Some(AttributeValue::Bool(true)))
}

#[cfg(test)]
mod tests {
    use domain::{Invoice, NewInvoice, UserId};
    use schema::{Document, Limits, Timestamp};
    use serde_dynamo::AttributeValue;

    #[test]
    fn an_amount_is_stored_exactly() {
        let body = r#"{"startDate":"2026-01-01","endDate":"2026-01-31","amount":12345678901234567.89,
            "currencyCode":"EUR","dueDate":"2026-02-14","status":0,
            "tenantId":"6b2f0d5c-6b1e-4a55-9d2c-0d3b1f9a7e21"}"#;
        let new: NewInvoice = Document::parse(body.into(), Limits::BODY).unwrap().read().unwrap();
        let invoice = new.create(Timestamp::from_millis(0), &UserId::from("u1"));
        let item: serde_dynamo::Item = serde_dynamo::to_item(&invoice).unwrap();
        let stored = item.get("amount").cloned();
        assert_eq!(stored, Some(AttributeValue::S("12345678901234567.89".into())));
        assert_eq!(serde_dynamo::from_item::<_, Invoice>(item).unwrap(), invoice);
    }
}
