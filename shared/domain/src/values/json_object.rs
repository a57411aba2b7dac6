use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

use schema::{FromJson, Limits, Reader};

/// A JSON object with arbitrary members. Its text is kept exactly as it was sent.
///
/// The object is stored as text because `DynamoDB`'s maps are limited to 32 levels and its numbers
/// to 38 digits and 10^126, and `serde` can only reach those numbers through a float.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JsonObject(String);

impl JsonObject {
    /// Reads an object of at most `most` bytes.
    fn read(value: &Value, at: &mut Reader<'_>, most: usize) -> Option<Self> {
        if !value.is_object() {
            at.wrong_type("object");
            return None;
        }
        let text = at.text_of(value);
        at.within_bytes(text.len(), most).then_some(Self(text))
    }

    /// Returns the size of the text in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.len()
    }
}

/// The value of a tenant's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConfigValue(JsonObject);

impl ConfigValue {
    /// The maximum size of the text in bytes. An item of the table has at most 409,600 bytes (AWS
    /// limit).
    const MAX_BYTES: usize = 100 * 1024;

    /// Returns the member `name`, or `None` if there is none.
    pub(crate) fn member(&self, name: &str) -> Option<Value> {
        let mut members: Map<String, Value> = serde_json::from_str(&self.0.0).ok()?;
        members.remove(name)
    }
}

impl FromJson for ConfigValue {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let object = JsonObject::read(value, at, Self::MAX_BYTES)?;
        at.check_numbers(&object.0, Limits::NUMBERS);
        Some(Self(object))
    }

    fn schema() -> Value {
        let rule = format!(
            "At most {} bytes. Integers have at most 64 bits; other numbers are 0 or between \
             1E-130 and 9.99E+125 in size.",
            Self::MAX_BYTES
        );
        json!({ "type": "object", "description": rule })
    }
}

/// The metadata of a resource, as reported by a build.
///
/// Any JSON object is accepted as text, so that the report of a successful build is never refused
/// because of its metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Metadata(JsonObject);

impl Metadata {
    /// The maximum size of the text in bytes.
    pub(crate) const MAX_BYTES: usize = 16 * 1024;

    /// Returns the size of the text in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.bytes()
    }
}

impl Default for Metadata {
    fn default() -> Self {
        Self(JsonObject("{}".to_owned()))
    }
}

impl<'de> Deserialize<'de> for Metadata {
    /// Reads text, or a map as stored by earlier versions.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Stored {
            Text(String),
            Map(Map<String, Value>),
        }
        Ok(Self(JsonObject(match Stored::deserialize(deserializer)? {
            Stored::Text(text) => text,
            Stored::Map(map) => Value::Object(map).to_string(),
        })))
    }
}

impl FromJson for Metadata {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        JsonObject::read(value, at, Self::MAX_BYTES).map(Self)
    }

    fn schema() -> Value {
        let rule = format!("At most {} bytes. Kept and returned exactly as sent.", Self::MAX_BYTES);
        json!({ "type": "object", "description": rule })
    }
}

/// Metadata that is part of events. `EventBridge` refuses an event with other numbers for good.
pub(crate) struct ForwardedMetadata(Metadata);

impl From<ForwardedMetadata> for Metadata {
    fn from(ForwardedMetadata(metadata): ForwardedMetadata) -> Self {
        metadata
    }
}

impl FromJson for ForwardedMetadata {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let metadata = Metadata::from_json(value, at)?;
        at.check_numbers(&metadata.0.0, Limits::FORWARDED_NUMBERS);
        Some(Self(metadata))
    }

    fn schema() -> Value {
        let rule = format!(
            "At most {} bytes. Kept and returned exactly as sent. Integers are signed and have at most 64 \
             bits; other numbers are 0 or between 1E-130 and 9.99E+125 in size.",
            Metadata::MAX_BYTES
        );
        json!({ "type": "object", "description": rule })
    }
}
