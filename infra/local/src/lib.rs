//! Runs the whole product on this machine in one process, without Docker or an AWS account.
//!
//! The crate follows `template.yaml` ([`template`]). The functions run unchanged. Their AWS SDKs
//! call endpoints of this crate: DynamoDB (`dynoxide`), and the calls of EventBridge, SES, Secrets
//! Manager, SQS and CodePipeline that the functions make. [`state`] stores the state of these
//! services.
//!
//! `cargo run` and the tests call [`Local::start`].

mod aws;
pub mod bus;
mod calls;
mod clock;
mod data;
mod demo;
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
mod pipeline_runner;
mod pipeline_stages;
mod provider;
mod schedule;
mod services;
pub mod state;
mod stop;
mod stream;
mod table;
pub mod template;
mod units;

pub use calls::{Call, Calls, Fault};
pub use error::{Error, Result};
pub use functions::Handler;
pub use local::Local;
pub use options::{Data, Options, Outcome};
pub use services::{Answered, Services};
pub use units::Units;
