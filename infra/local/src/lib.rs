//! The whole product on this machine, in one process: no Docker, no AWS account.
//!
//! Everything is as `template.yaml` says it ([`template`]). The functions run unchanged; they speak
//! through the AWS SDKs to endpoints that this crate serves: DynamoDB (`dynoxide`), and the few
//! calls of EventBridge, SES, Secrets Manager and CodePipeline that they make. What AWS would
//! remember is in [`state`].
//!
//! [`Local::start`] is what `cargo run` does, and what tests do as often as they like.

mod aws;
pub mod bus;
mod calls;
mod data;
mod env_file;
mod environment;
mod error;
mod functions;
mod gateway;
mod host;
mod local;
mod options;
mod pages;
mod permissions;
mod player;
mod schedule;
pub mod state;
mod stop;
mod stream;
mod table;
pub mod template;
mod units;

pub use calls::{Call, Calls, Fault};
pub use error::{Error, Result};
pub use local::Local;
pub use options::{Data, Options, Outcome};
pub use units::Units;
