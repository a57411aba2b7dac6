//! The configuration: environment variables, read once, when a function starts.

mod env;
mod lead_keys;
mod redis;
mod reserved_keys;

pub use env::{Env, millis, seconds};
pub use lead_keys::{LeadKeys, lead_retention};
pub(crate) use redis::redis;
pub(crate) use reserved_keys::reserved_keys;

/// A variable that keeps a function from starting; it names the variable.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A required variable is not set, or is empty.
    #[error("the environment variable {0} is required and not set")]
    Missing(String),

    /// A variable's value is not of its form. The value itself is not shown: it may be secret.
    #[error("the environment variable {name} {rule}")]
    Malformed {
        /// The variable.
        name: String,
        /// What it must be.
        rule: String,
    },

    /// Something that the function needs before it can serve could not be reached.
    #[error("{doing}: {cause}")]
    Unreachable {
        /// What was being done.
        doing: String,
        /// Why it failed.
        cause: String,
    },
}
