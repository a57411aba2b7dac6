//! What every function of the control plane shares.
//!
//! * [`domain`]: the rules. Pure functions and types; no I/O, no clock, no AWS.
//! * [`filter`]: what a list is asked for. Pure, like the rules.
//! * [`store`]: the one DynamoDB table. Keys, items, transactions.
//! * [`cache`]: Redis, where there is one.
//! * [`http`]: extractors, and the one mapping from [`Error`] to a response.
//! * [`keys`]: master keys, and the secrets that are derived from them.
//! * [`config`] and [`aws`]: the environment, read once.
//! * [`lambda`]: how a function starts; [`stream`]: what one gets of the table's stream.
//! * [`fault`]: what is worth trying again; [`dead_letter`]: where the rest goes; [`each`]: loops that no
//!   failure ends.
//! * [`metric`]: what is measured.
//! * [`openapi`]: how routes are described. No function calls it; a test writes the document with it.

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

/// The time now; the shell passes it to the rules, which never read a clock.
#[must_use]
pub fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    Timestamp::from(jiff::Timestamp::now())
}
