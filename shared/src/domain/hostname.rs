use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{FromJson, Reader};

/// A host name (RFC 1123), in lower case, since host names are compared without case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hostname(String);

impl Hostname {
    /// As a string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Notes it where a list of host names is empty or names one twice.
    pub(super) fn check_list(names: &[Self], at: &mut Reader<'_>) {
        if names.is_empty() {
            at.violate("minItems", "must NOT have fewer than 1 items", json!({ "limit": 1 }));
        }
        let twice = names.iter().enumerate().find_map(|(later, name)| {
            names[..later].iter().position(|other| other == name).map(|first| (first, later))
        });
        if let Some((j, i)) = twice {
            let message =
                format!("must NOT have duplicate items (items ## {j} and {i} are identical)");
            at.violate("uniqueItems", message, json!({ "i": i, "j": j }));
        }
    }
}

impl FromJson for Hostname {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let text = at.text(value, 1, 253)?;
        if !hostname_validator::is_valid(text) {
            at.wrong_format("hostname");
            return None;
        }
        Some(Self(text.to_ascii_lowercase()))
    }

    fn schema() -> Value {
        json!({ "type": "string", "format": "hostname", "minLength": 1, "maxLength": 253 })
    }
}

impl fmt::Display for Hostname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
