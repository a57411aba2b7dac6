use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Measures the functions or a running service.
#[derive(Clone, Debug, Parser)]
#[command(name = "measure", args_override_self = true)]
pub(crate) struct Options {
    /// Folder with the functions' binaries.
    #[arg(long, value_name = "DIR", default_value = "target/release")]
    pub(crate) binaries: PathBuf,

    /// Output file for the figures.
    #[arg(long, value_name = "FILE", default_value = "target/bench.json")]
    pub(crate) out: PathBuf,

    /// Parts to measure: starts, endpoints, flows, growth, renewals.
    #[arg(long, value_delimiter = ',', default_value = "starts,endpoints,flows,growth,renewals")]
    pub(crate) parts: Vec<String>,

    /// Functions to start (default: all).
    #[arg(long, value_delimiter = ',')]
    pub(crate) functions: Vec<String>,

    /// Number of starts per function.
    #[arg(long, default_value_t = 30)]
    pub(crate) starts: usize,

    /// Number of requests per endpoint, number of connections and round.
    #[arg(long, default_value_t = 1000)]
    pub(crate) requests: usize,

    /// Number of rounds of requests and of flows. The one with the median CPU time counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) rounds: u8,

    /// Number of requests before a function's memory is measured.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) memory_after: usize,

    /// Numbers of tenants in the table, for growth.
    #[arg(long, value_delimiter = ',', default_value = "1000,100000,1000000")]
    pub(crate) tenants: Vec<usize>,

    /// Number of subscriptions that are due at once, for renewals.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) due: usize,

    /// The SAM template.
    #[arg(long, value_name = "FILE", default_value = "template.yaml")]
    pub(crate) template: PathBuf,

    #[command(subcommand)]
    pub(crate) part: Option<Part>,
}

/// Subcommands.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Part {
    /// Emulates AWS in a separate process.
    #[command(hide = true)]
    Aws,
    /// Sends the same requests to a running service.
    Service(Service),
    /// Starts a service again and again, until it answers `GET /ping`.
    Start(Start),
}

/// A running service with the same API.
#[derive(Clone, Debug, Args)]
pub(crate) struct Service {
    /// URL of the service.
    #[arg(long)]
    pub(crate) url: String,
    /// Process IDs of the service.
    #[arg(long, value_delimiter = ',', required = true)]
    pub(crate) pid: Vec<u32>,
    /// Token with every permission.
    #[arg(long)]
    pub(crate) token: String,
    /// Number of tenants to create first.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) fill: usize,
    /// Command that prints secrets of the service, to measure the flow from a lead to an active tenant:
    /// the verification key for the arguments `lead LEAD`; the webhook secret and, separated by a space,
    /// the signed context for the arguments `webhook TENANT LOCATION`.
    #[arg(long, value_name = "COMMAND")]
    pub(crate) secrets: Option<String>,
}

/// A service that can be started.
#[derive(Clone, Debug, Args)]
pub(crate) struct Start {
    /// URL at which the service will answer.
    #[arg(long)]
    pub(crate) url: String,
    /// The service's program and its arguments.
    #[arg(required = true, last = true)]
    pub(crate) command: Vec<String>,
}

impl Options {
    /// Returns `many`, but not more than the number of requests.
    pub(crate) fn at_most(&self, many: usize) -> usize {
        many.min(self.requests)
    }

    pub(crate) fn starts(&self, function: &String) -> bool {
        self.functions.is_empty() || self.functions.contains(function)
    }

    pub(crate) fn runs(&self, part: &str) -> bool {
        self.parts.iter().any(|wanted| wanted == part)
    }
}
