use std::fmt::Display;

use serde_json::{Value, json};
use strum::VariantArray;

/// An enumeration that is a word on the wire, as its `Display` writes it.
pub trait Word: VariantArray + Display {
    /// Returns the JSON Schema of the words.
    #[must_use]
    fn schema() -> Value {
        let words: Vec<String> = Self::VARIANTS.iter().map(ToString::to_string).collect();
        json!({ "type": "string", "enum": words })
    }
}
