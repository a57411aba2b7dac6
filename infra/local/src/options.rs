use std::{convert::Infallible, path::PathBuf, str::FromStr, time::Duration};

use clap::{Parser, ValueEnum};
use dynoxide::Database;
use lambda::Env;
use uuid::Uuid;

use crate::table::{Engine, External};

/// Runs the whole product on this machine, without Docker or an AWS account.
///
/// Environment variables override the variables of the functions, including `JWT_SECRET` and
/// `MASTER_KEYS`.
#[derive(Clone, Debug, Parser)]
#[command(name = "local")]
pub struct Options {
    /// Port of the HTTP API on 127.0.0.1; 0 picks a free port.
    #[arg(long, default_value_t = 3000)]
    pub port: u16,

    /// Folder for data that survives a restart, or `memory`.
    #[arg(long, value_name = "DIR|memory", default_value = ".local/data")]
    pub data: Data,

    /// Fill the table with example data: 30 tenants, in every status except SUSPENDED, and 12 leads.
    /// Tenants that exist are left as they are.
    #[arg(long)]
    pub demo: bool,

    /// Duration of simulated pipeline executions, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 1500)]
    pub pipeline_delay_ms: u64,

    /// Outcome of simulated pipeline executions.
    #[arg(long, value_enum, default_value_t = Outcome::Success)]
    pub pipeline_outcome: Outcome,

    /// Run everything except the HTTP functions, which another process serves.
    #[arg(long)]
    pub aws_only: bool,

    /// SAM template to run.
    #[arg(long, value_name = "FILE", default_value = "template.yaml")]
    pub template: PathBuf,

    /// File to write the variables of this run to.
    #[arg(long, value_name = "FILE", default_value = ".local/env")]
    pub env_file: PathBuf,

    /// File to append the permissions that functions use to, one per line.
    #[arg(long, value_name = "FILE")]
    pub permissions: Option<PathBuf>,

    /// DynamoDB Local to use instead of the embedded table, such as 127.0.0.1:8000.
    #[arg(long, value_name = "HOST:PORT")]
    pub table: Option<String>,
}

impl Options {
    /// Returns options for tests: any port, data in memory, pipelines without delay, and no files.
    #[must_use]
    pub fn private(template: impl Into<PathBuf>) -> Self {
        let process = Env::process();
        Self {
            port: 0,
            data: Data::Memory,
            demo: false,
            pipeline_delay_ms: 0,
            pipeline_outcome: Outcome::Success,
            aws_only: false,
            template: template.into(),
            env_file: PathBuf::new(),
            permissions: process.get("TENANTRY_TEST_PERMISSIONS").map(Into::into),
            table: process.get("TENANTRY_TEST_TABLE").map(str::to_owned),
        }
    }

    /// Returns the engine that holds the tables: `database`, unless `--table` names another.
    pub(crate) fn engine(&self, database: &Database) -> Engine {
        let Some(address) = self.table.clone() else { return Engine::Embedded(database.clone()) };
        let key = match &self.data {
            Data::Memory => Uuid::new_v4(),
            // The same key at the next start.
            Data::Folder(folder) => {
                let folder = folder.to_string_lossy();
                let digest = ring::digest::digest(&ring::digest::SHA256, folder.as_bytes());
                Uuid::from_slice(&digest.as_ref()[..16]).unwrap_or_default()
            }
        };
        Engine::External(External { address, key: key.simple().to_string() })
    }

    pub(crate) fn pipeline_delay(&self) -> Duration {
        Duration::from_millis(self.pipeline_delay_ms)
    }
}

/// The location of data that survives a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// In memory, lost when the process ends.
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

/// The outcome of simulated pipeline executions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Outcome {
    /// The build reports success with resources.
    Success,
    /// The build reports failure with a reason.
    Failure,
    /// The build never reports, and the execution never ends.
    Silent,
}
