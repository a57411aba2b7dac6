use std::{convert::Infallible, path::PathBuf, str::FromStr, time::Duration};

use clap::{Parser, ValueEnum};

/// Starts the whole product on this machine: no Docker, no AWS account.
///
/// Every variable of the functions can be set from outside, `JWT_SECRET` and `MASTER_KEYS` too.
#[derive(Clone, Debug, Parser)]
#[command(name = "local")]
pub struct Options {
    /// Port of the HTTP API on 127.0.0.1; 0 takes any free one.
    #[arg(long, default_value_t = 3000)]
    pub port: u16,

    /// Folder that keeps what outlives a restart, or `memory`.
    #[arg(long, value_name = "DIR|memory", default_value = ".local/data")]
    pub data: Data,

    /// How long a played pipeline takes, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 1500)]
    pub pipeline_delay_ms: u64,

    /// How played pipelines end.
    #[arg(long, value_enum, default_value_t = Outcome::Success)]
    pub pipeline_outcome: Outcome,

    /// Serve AWS and the event functions, but not the HTTP functions (something else does).
    #[arg(long)]
    pub aws_only: bool,

    /// The SAM template that says what there is.
    #[arg(long, value_name = "FILE", default_value = "template.yaml")]
    pub template: PathBuf,

    /// File that the variables of this run are written to.
    #[arg(long, value_name = "FILE", default_value = ".local/env")]
    pub env_file: PathBuf,

    /// File that gets a line for each permission that a function needed.
    #[arg(long, value_name = "FILE")]
    pub permissions: Option<PathBuf>,
}

impl Options {
    /// What a test wants: any port, nothing kept, pipelines that take no time, no file written.
    #[must_use]
    pub fn private(template: impl Into<PathBuf>) -> Self {
        Self {
            port: 0,
            data: Data::Memory,
            pipeline_delay_ms: 0,
            pipeline_outcome: Outcome::Success,
            aws_only: false,
            template: template.into(),
            env_file: PathBuf::new(),
            permissions: std::env::var_os("TENANTRY_TEST_PERMISSIONS").map(Into::into),
        }
    }

    pub(crate) fn pipeline_delay(&self) -> Duration {
        Duration::from_millis(self.pipeline_delay_ms)
    }
}

/// Where what outlives a restart is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// Nowhere: it ends with the process.
    Memory,
    /// In this folder.
    Folder(PathBuf),
}

impl FromStr for Data {
    type Err = Infallible;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Ok(match s {
            "memory" => Self::Memory,
            folder => Self::Folder(folder.into()),
        })
    }
}

/// How played pipelines end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Outcome {
    /// The build reports success with resources.
    Success,
    /// The build reports failure with a reason.
    Failure,
    /// The build never reports, and the execution never ends.
    Silent,
}
