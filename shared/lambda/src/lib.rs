//! Common parts of all functions: start, configuration, log, metrics, keys and dead-letter queues.
//!
//! * [`consume`] and [`start`]: the environment, the log, the runtime's loop.
//! * [`config`] and [`aws`]: the environment, read once, and the configuration of AWS clients.
//! * [`keys`] and [`token`]: master keys, the secrets derived from them, and bearer tokens.
//! * [`stream`] and [`Payload`]: events of consumers.
//! * [`fault`]: which failures to retry; [`dead_letter`]: dead-letter queues; [`each`]: loops that
//!   continue after a failure.
//! * [`metric`]: CloudWatch metrics.
//! * [`trace`]: how the current request came about, for the audit log.

pub mod aws;
pub mod config;
pub mod dead_letter;
pub mod each;
mod event;
pub mod fault;
pub mod keys;
mod log;
pub mod metric;
mod start;
pub mod stream;
pub mod token;
pub mod trace;

pub use config::Env;
pub use event::{Envelope, Payload};
pub use log::{FUNCTIONS, logged};
pub use schema::clock::now;
pub use start::{consume, report, span, start};
