//! Items as DynamoDB returned them, not yet decoded.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{
    Deserialize,
    de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor},
};

use crate::table::{
    item::{Attributes, Stored},
    key::Key,
    plain_json::{Attribute, Name, close},
};
use domain::{Error, Result};

/// An item as DynamoDB returned it.
///
/// It is read without the SDK, whose map of attributes would be converted twice on the way to a type
/// of ours.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawItem {
    /// The attributes in JSON, without the keys and without those that only readers of the stream need.
    json: String,
    /// The keys of the table and of its indexes in JSON.
    keys: String,
    entity: Option<String>,
    version: Option<u64>,
    is_deleted: bool,
    expires_at: Option<i64>,
}

impl RawItem {
    /// Decodes the item.
    ///
    /// # Errors
    ///
    /// [`Error::Permanent`] if it is not a `T`.
    pub(crate) fn decode<T: DeserializeOwned>(&self) -> Result<T> {
        let decoded = serde_json::from_str(&self.json);
        decoded.map_err(|cause| Error::permanent("decoding an item")(self.without_values(&cause)))
    }

    /// Returns why the item cannot be decoded. The value that serde repeats in quotes is left out,
    /// because errors are logged.
    fn without_values(&self, cause: &serde_json::Error) -> String {
        let (entity, mut cause) = (self.entity().unwrap_or_default(), cause.to_string());
        if let Some(start) = cause.find('"') {
            let end = cause.rfind('"').unwrap_or(start);
            cause.replace_range(start..=end, "…");
        }
        format!("{entity}: {cause}")
    }

    /// Decodes the item with its version. Returns `None` if it is deleted or has expired.
    ///
    /// # Errors
    ///
    /// [`Error::Permanent`] if it is not a `T`, and [`Error::Internal`] if it has no version.
    pub(crate) fn decode_active<T: DeserializeOwned>(&self) -> Result<Option<Stored<T>>> {
        if self.is_deleted || self.has_expired() {
            return Ok(None);
        }
        let version = self.version.ok_or("the item has no version");
        let version = version.map_err(Error::internal("reading a version"))?;
        Ok(Some(Stored { item: self.decode()?, version }))
    }

    /// Returns the key of the item, or `None` if it was read without its key.
    pub(crate) fn key(&self) -> Option<Key> {
        let mut keys = self.keys();
        Some(Key::of_parts(keys.remove("pk")?, keys.remove("sk")?))
    }

    /// Returns a part of a key of the table or of an index.
    pub(crate) fn key_part(&self, name: &str) -> Option<String> {
        self.keys().remove(name)
    }

    /// Returns the keys as a request names them.
    pub(crate) fn key_attributes(&self) -> Attributes {
        self.keys().into_iter().map(|(name, value)| (name, AttributeValue::S(value))).collect()
    }

    fn keys(&self) -> BTreeMap<String, String> {
        serde_json::from_str(&self.keys).unwrap_or_default()
    }

    /// Returns the kind of the item.
    pub(crate) fn entity(&self) -> Option<&str> {
        self.entity.as_deref()
    }

    /// Returns the version of the item. Claims have none.
    pub(crate) fn version(&self) -> Option<u64> {
        self.version
    }

    /// Whether the item is soft-deleted.
    pub(crate) fn is_deleted(&self) -> bool {
        self.is_deleted
    }

    /// Whether the item has expired. DynamoDB deletes expired items within a few days.
    ///
    /// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ttl-expired-items.html>
    pub(crate) fn has_expired(&self) -> bool {
        self.expires_at.is_some_and(|expiry| expiry <= lambda::now().seconds())
    }

    /// Keeps the attributes that each item may have.
    fn note(&mut self, name: &str, from: usize) {
        let Some(value) = self.json.get(from..) else { return };
        match name {
            "entity" => self.entity = Some(value.trim_matches('"').to_owned()),
            "version" => self.version = value.parse().ok(),
            "deleted" => self.is_deleted = value == "true",
            "expiresAt" => self.expires_at = value.parse().ok(),
            _ => {}
        }
    }
}

impl<'de> Deserialize<'de> for RawItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ItemVisitor)
    }
}

struct ItemVisitor;

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = RawItem;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an item")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawItem, A::Error> {
        let mut item = RawItem::default();
        item.json.push('{');
        item.keys.push('{');
        while let Some(name) = map.next_key::<Name<'_>>()? {
            if matches!(&*name.0, "pk" | "sk") || name.0.starts_with("gsi") {
                name.write(&mut item.keys)?;
                map.next_value_seed(Attribute(&mut item.keys))?;
                item.keys.push(',');
            } else if matches!(&*name.0, "trace" | "requestId") {
                map.next_value::<IgnoredAny>()?;
            } else {
                name.write(&mut item.json)?;
                let from = item.json.len();
                map.next_value_seed(Attribute(&mut item.json))?;
                item.note(&name.0, from);
                item.json.push(',');
            }
        }
        close(&mut item.json, '}');
        close(&mut item.keys, '}');
        Ok(item)
    }
}

#[cfg(test)]
impl RawItem {
    /// Returns the item that DynamoDB would return for these attributes.
    pub(crate) fn of(attributes: Attributes) -> Self {
        let item = serde_json::to_string(&serde_dynamo::Item::from(attributes)).unwrap();
        serde_json::from_str(&item).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_item_is_read_once() {
        let item = json!({
            "pk": { "S": "TENANT#1" }, "sk": { "S": "TENANT" }, "gsi1sk": { "S": "place" },
            "entity": { "S": "tenant" }, "version": { "N": "3" }, "deleted": { "BOOL": true },
            "expiresAt": { "N": "1" }, "trace": { "M": { "id": { "S": "t" } } },
            "name": { "S": "A \"b\"" },
        });
        let item: RawItem = serde_json::from_str(&item.to_string()).unwrap();
        assert_eq!((item.entity(), item.version()), (Some("tenant"), Some(3)));
        assert!(item.is_deleted() && item.has_expired());
        assert_eq!(item.key_part("gsi1sk").as_deref(), Some("place"));
        assert_eq!(item.key().unwrap().sort_key(), "TENANT");
        let decoded: serde_json::Value = item.decode().unwrap();
        let rest = json!({ "entity": "tenant", "version": 3, "deleted": true, "expiresAt": 1, "name": "A \"b\"" });
        assert_eq!(decoded, rest);
    }

    #[test]
    fn an_error_names_no_value() {
        let item = r#"{"entity":{"S":"lead"},"email":{"S":"ada\"@acme.test"}}"#;
        let item: RawItem = serde_json::from_str(item).unwrap();
        let error = item.decode::<BTreeMap<String, u64>>().unwrap_err().with_causes().to_string();
        assert!(error.contains("lead: invalid type: string …, expected u64"), "{error}");
        assert!(!error.contains("ada") && !error.contains("acme"), "{error}");
    }
}
