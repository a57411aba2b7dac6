//! The code shared by all functions of the control plane.
//!
//! * [`domain`]: the rules. Pure functions and types; no I/O, no clock, no AWS.
//! * [`filter`]: the filter language of lists. Pure, like the rules.
//! * [`store`]: the DynamoDB table. Keys, items, transactions.
//! * [`cache`]: an optional Redis.
//! * [`http`]: extractors, and the mapping from [`Error`] to a response.
//! * [`keys`]: master keys, and the secrets derived from them.
//! * [`config`] and [`aws`]: the environment, read once.
//! * [`lambda`]: how a function starts; [`stream`]: batches of the table's stream.
//! * [`fault`]: which failures to retry; [`dead_letter`]: dead-letter queues; [`each`]: loops that
//!   continue after a failure.
//! * [`metric`]: CloudWatch metrics.
//! * [`openapi`]: the description of routes. Only a test calls it, to write the document.

pub mod answer;
pub mod aws;
pub mod cache;
pub mod config;
pub mod dead_letter;
pub mod domain;
pub mod each;
mod error;
pub mod fault;
pub mod filter;
pub mod http;
pub mod keys;
pub mod lambda;
pub mod metric;
pub mod openapi;
pub mod store;
pub mod stream;
pub mod token;

pub use config::Env;
pub use error::{Error, Result};

use domain::Timestamp;

/// Returns the current time. Callers pass it to the rules, which never read a clock.
#[must_use]
pub fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    Timestamp::from(jiff::Timestamp::now())
}
