use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use schema::{FromJson, Reader};

/// The unique key of a tenant, used as namespace and subdomain: 1 to 10 lowercase letters or
/// digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TenantKey(String);

const PATTERN: &str = "^[a-z0-9]+$";

impl TenantKey {
    /// Returns the key as a string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromJson for TenantKey {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let text = at.text(value, 0, 10)?;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if text.is_empty() || !text.chars().all(plain) {
            at.wrong_pattern(PATTERN, "must have only lowercase letters a to z and digits");
            return None;
        }
        Some(Self(text.to_owned()))
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": PATTERN, "maxLength": 10 })
    }
}

impl fmt::Display for TenantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
