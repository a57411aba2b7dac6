use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{FromJson, Reader};

/// Text of `MIN` to `MAX` characters without control characters (CONTRACT §4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text<const MIN: usize, const MAX: usize>(String);

impl<const MIN: usize, const MAX: usize> Text<MIN, MAX> {
    /// As a string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// No control characters, in a form that every dialect of regular expressions has.
const PATTERN: &str = r"^[^\x00-\x1f\x7f-\x9f]*$";

impl<const MIN: usize, const MAX: usize> FromJson for Text<MIN, MAX> {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let text = at.text(value, MIN, MAX)?;
        if text.chars().any(char::is_control) {
            at.wrong_pattern(PATTERN);
            return None;
        }
        Some(Self(text.to_owned()))
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": MIN, "maxLength": MAX, "pattern": PATTERN })
    }
}

impl<const MIN: usize, const MAX: usize> fmt::Display for Text<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Text<1, 100> {
    /// The type of contact that a lead becomes.
    #[must_use]
    pub fn admin() -> Self {
        Self("admin".to_owned())
    }
}
