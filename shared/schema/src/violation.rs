use serde::Serialize;
use serde_json::Value;

/// One violation of a body's schema.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Violation {
    /// A JSON pointer (RFC 6901) to the invalid value, or to the object with a missing or
    /// additional member.
    pub path: String,
    /// The violated JSON Schema keyword.
    pub code: &'static str,
    /// The rule, worded as by JSON Schema validators.
    pub message: String,
    /// The parameters of the keyword.
    pub info: Value,
}

/// A body that breaks its schema: every violation, in the order of the schema.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("The request body is invalid. See error object `details` property for more info.")]
pub struct Invalid(pub Vec<Violation>);

/// The maximum number of violations in one answer.
const MAX_VIOLATIONS: usize = 1000;

/// The maximum length of a violation's path in bytes. A longer path is shortened to the nearest
/// parent that fits.
const MAX_PATH_BYTES: usize = 1024;

impl Violation {
    /// Adds the violation to `found` unless the maximum number is reached.
    pub(crate) fn add_to(mut self, found: &mut Vec<Self>) {
        if found.len() >= MAX_VIOLATIONS {
            return;
        }
        while self.path.len() > MAX_PATH_BYTES {
            let above = self.path.rfind('/').unwrap_or(0);
            self.path.truncate(above);
        }
        found.push(self);
    }
}
