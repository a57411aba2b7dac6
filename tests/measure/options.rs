use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Measures the functions, or a service that is running.
#[derive(Clone, Debug, Parser)]
#[command(name = "measure", args_override_self = true)]
pub(crate) struct Options {
    /// Folder with the functions' binaries.
    #[arg(long, value_name = "DIR", default_value = "target/release")]
    pub(crate) binaries: PathBuf,

    /// File that the figures are written to.
    #[arg(long, value_name = "FILE", default_value = "target/bench.json")]
    pub(crate) out: PathBuf,

    /// What is measured: starts, endpoints, flows, growth.
    #[arg(long, value_delimiter = ',', default_value = "starts,endpoints,flows,growth")]
    pub(crate) parts: Vec<String>,

    /// Functions that are started; all, where none is named.
    #[arg(long, value_delimiter = ',')]
    pub(crate) functions: Vec<String>,

    /// Starts of each function.
    #[arg(long, default_value_t = 30)]
    pub(crate) starts: usize,

    /// Requests to each endpoint, at each number of connections.
    #[arg(long, default_value_t = 3000)]
    pub(crate) requests: usize,

    /// Requests before a function's memory is looked at.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) memory_after: usize,

    /// Tenants in the table, for growth.
    #[arg(long, value_delimiter = ',', default_value = "1000,100000,1000000")]
    pub(crate) tenants: Vec<usize>,

    /// The SAM template.
    #[arg(long, value_name = "FILE", default_value = "template.yaml")]
    pub(crate) template: PathBuf,

    #[command(subcommand)]
    pub(crate) part: Option<Part>,
}

/// What else this program does.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Part {
    /// Plays AWS for the measurement, in a process of its own.
    #[command(hide = true)]
    Aws,
    /// Puts a service that is running through the same requests.
    Service(Service),
}

/// A service of the same API, wherever it comes from.
#[derive(Clone, Debug, Args)]
pub(crate) struct Service {
    /// Where it is.
    #[arg(long)]
    pub(crate) url: String,
    /// Its processes.
    #[arg(long, value_delimiter = ',', required = true)]
    pub(crate) pid: Vec<u32>,
    /// A token with every permission.
    #[arg(long)]
    pub(crate) token: String,
}

impl Options {
    /// So many, or as many as there are requests.
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
