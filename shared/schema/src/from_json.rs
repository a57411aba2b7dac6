use serde_json::{Map, Value, json, value::RawValue};

use crate::{Reader, Timestamp};

/// A value that is validated when it is read from JSON.
pub trait FromJson: Sized {
    /// Reads the value, or notes every violation at `at` and returns `None`.
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self>;

    /// Returns whether an optional member with this value counts as not given.
    #[must_use]
    fn is_absent(value: &Value) -> bool {
        value.is_null()
    }

    /// Returns the JSON Schema (2020-12) of the value, for the OpenAPI document.
    #[must_use]
    fn schema() -> Value;
}

impl FromJson for bool {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        value.as_bool().or_else(|| {
            at.wrong_type("boolean");
            None
        })
    }

    fn schema() -> Value {
        json!({ "type": "boolean" })
    }
}

impl FromJson for Map<String, Value> {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        value.as_object().cloned().or_else(|| {
            at.wrong_type("object");
            None
        })
    }

    fn schema() -> Value {
        json!({ "type": "object" })
    }
}

impl FromJson for Timestamp {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        at.text(value, 1, 40)?.parse().ok().or_else(|| {
            at.wrong_format("date-time");
            None
        })
    }

    fn schema() -> Value {
        json!({ "type": "string", "format": "date-time", "maxLength": 40 })
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let Value::Array(items) = value else {
            at.wrong_type("array");
            return None;
        };
        let texts: Vec<&RawValue> =
            at.sent().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let read: Vec<Option<T>> = items
            .iter()
            .enumerate()
            .map(|(position, item)| {
                let text = texts.get(position).map(|text| text.get());
                T::from_json(item, &mut at.item(position, text))
            })
            .collect();
        read.into_iter().collect()
    }

    fn schema() -> Value {
        json!({ "type": "array", "items": T::schema() })
    }
}
