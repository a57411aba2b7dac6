use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

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

impl<const MIN: usize, const MAX: usize> FromJson for Text<MIN, MAX> {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let text = at.text(value, MIN, MAX)?;
        if text.chars().any(char::is_control) {
            at.wrong_pattern("^\\P{Cc}*$");
            return None;
        }
        Some(Self(text.to_owned()))
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
