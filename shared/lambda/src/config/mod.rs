//! The configuration: environment variables, read once when a function starts.

mod audit;
mod env;
mod identity;
mod lead_keys;
mod moves;
mod reserved_keys;
mod retention;
mod tiers;

pub use audit::{audit_address, audit_retention};
pub use env::{Env, millis, seconds};
pub use identity::identity_provider;
pub use lead_keys::{LeadKeys, lead_retention};
pub use moves::moves;
pub use reserved_keys::reserved_keys;
pub use retention::retention;
pub use tiers::tiers;

/// A configuration error that prevents a function from starting. Names the variable.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A required variable is not set or is empty.
    #[error("the environment variable {0} is required but not set")]
    Missing(String),

    /// A variable has an invalid value. The value is not shown, because it may be secret.
    #[error("the environment variable {name} {rule}")]
    Malformed {
        /// The name of the variable.
        name: String,
        /// The violated rule.
        rule: String,
    },

    /// A dependency needed at startup could not be reached.
    #[error("{doing}: {cause}")]
    Unreachable {
        /// The step that failed.
        doing: String,
        /// The cause.
        cause: String,
    },
}
