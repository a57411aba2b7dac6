use std::fmt::Display;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use strum::VariantArray;

use schema::Reader;

/// An enumeration that is a word on the wire, as its `Display` writes it.
pub trait Word: VariantArray + Display {
    /// Returns the JSON Schema of the words.
    #[must_use]
    fn schema() -> Value {
        json!({ "type": "string", "enum": words::<Self>() })
    }
}

/// Reads a word, or notes which words are allowed.
pub(crate) fn read_word<T: Word + DeserializeOwned>(
    value: &Value,
    at: &mut Reader<'_>,
) -> Option<T> {
    if !value.is_string() {
        at.wrong_type("string");
        return None;
    }
    serde_json::from_value(value.clone()).ok().or_else(|| {
        at.not_allowed(&json!(words::<T>()));
        None
    })
}

/// Makes enumerations readable from JSON that are a [`Word`] and `Deserialize` from the same words.
macro_rules! words_from_json {
    ($($name:ty),+ $(,)?) => {$(
        impl $crate::Word for $name {}

        impl schema::FromJson for $name {
            fn from_json(
                value: &serde_json::Value,
                at: &mut schema::Reader<'_>,
            ) -> Option<Self> {
                $crate::values::read_word(value, at)
            }

            fn schema() -> serde_json::Value {
                <Self as $crate::Word>::schema()
            }
        }
    )+};
}
pub(crate) use words_from_json;

fn words<T: Word>() -> Vec<String> {
    T::VARIANTS.iter().map(ToString::to_string).collect()
}
