use std::{borrow::Borrow, collections::BTreeMap};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::Text;
use schema::{Decimal, FromJson, Reader};

/// The name of a feature, such as `seats`: a letter, then at most 63 letters, digits, `_`, `.` or `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FeatureKey(String);

const KEY_PATTERN: &str = "^[A-Za-z][A-Za-z0-9_.-]{0,63}$";

impl FeatureKey {
    /// Returns the key as a string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(key: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        let starts = key.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
        let is_key = starts && key.len() <= 64 && key.bytes().all(plain);
        is_key.then(|| Self(key.to_owned()))
    }
}

impl Borrow<str> for FeatureKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromJson for FeatureKey {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        Self::parse(at.text(value, 1, 64)?).or_else(|| {
            at.wrong_pattern(KEY_PATTERN, "must be a letter, then letters, digits, _, . and -");
            None
        })
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": KEY_PATTERN })
    }
}

/// The value of a feature.
///
/// A number has at most 15 digits, so that it survives a float of 64 bits unchanged: in the table,
/// and in programs in JavaScript.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FeatureValue {
    /// A feature that is there or not.
    Boolean(bool),
    /// A limit.
    Number(serde_json::Number),
    /// A choice.
    Text(Text<0, 255>),
}

/// The maximum number of digits of a number.
const MAX_DIGITS: i64 = 15;

impl FromJson for FeatureValue {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        match value {
            Value::Bool(is_there) => Some(Self::Boolean(*is_there)),
            Value::String(_) => Text::from_json(value, at).map(Self::Text),
            Value::Number(number) => {
                let (whole, fraction) = at.number(value)?.parse::<Decimal>().ok()?.places();
                if whole + fraction > MAX_DIGITS {
                    at.violate("digits", "must have at most 15 digits", json!({ "limit": 15 }));
                    return None;
                }
                Some(Self::Number(number.clone()))
            }
            Value::Null | Value::Array(_) | Value::Object(_) => {
                at.wrong_type("boolean, number or string");
                None
            }
        }
    }

    fn schema() -> Value {
        let types = ["boolean", "number", "string"];
        json!({ "type": types, "maxLength": 255, "description": "A number has at most 15 digits." })
    }
}

/// The features of a plan, or overrides of them: at most 100.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Features(pub BTreeMap<FeatureKey, FeatureValue>);

impl Features {
    /// The maximum number of features.
    pub const MAX: usize = 100;
}

impl FromJson for Features {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let members: Map<String, Value> = Map::from_json(value, at)?;
        if members.len() > Self::MAX {
            let message = format!("must have at most {} members", Self::MAX);
            at.violate("maxProperties", message, json!({ "limit": Self::MAX }));
            return None;
        }
        let read = members.iter().map(|(key, value)| {
            let mut at = at.member(key);
            let key = FeatureKey::from_json(&json!(key), &mut at);
            let value = FeatureValue::from_json(value, &mut at);
            key.zip(value)
        });
        let read: Vec<_> = read.collect();
        read.into_iter().collect::<Option<_>>().map(Self)
    }

    fn schema() -> Value {
        json!({
            "type": "object", "maxProperties": Self::MAX,
            "propertyNames": { "pattern": KEY_PATTERN },
            "additionalProperties": FeatureValue::schema(),
        })
    }
}
