use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row, params};
use schema::Timestamp;
use serde::Serialize;

use super::{NewEvent, Result, State, events, now};

/// A pipeline execution.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Execution {
    /// The ID of the execution.
    pub id: String,
    /// The pipeline.
    pub pipeline: String,
    /// The variables of the execution.
    pub variables: BTreeMap<String, String>,
    /// The status of the execution.
    pub status: Status,
    /// When the execution was started.
    pub started_at: Timestamp,
    /// When the execution ended.
    pub ended_at: Option<Timestamp>,
    /// The output of the build.
    pub log: String,
    /// The URL of the API when the execution was started.
    #[serde(skip)]
    pub api_url: String,
}

/// The status of an execution, as named by CodePipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Status {
    /// Running or waiting to run.
    InProgress,
    /// The build succeeded.
    Succeeded,
    /// The build failed.
    Failed,
}

impl Status {
    /// Returns the name used by CodePipeline.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }
}

/// An execution to start.
#[derive(Clone, Debug)]
pub struct NewExecution {
    /// The ID of the execution.
    pub id: String,
    /// The pipeline.
    pub pipeline: String,
    /// Token that identifies repeated requests.
    pub token: Option<String>,
    /// The variables of the execution.
    pub variables: BTreeMap<String, String>,
    /// The URL of the API.
    pub api_url: String,
}

impl State {
    /// Starts an execution and returns its ID. If the token was used before, returns the ID of that
    /// execution.
    ///
    /// # Errors
    ///
    /// If the state cannot be written.
    pub fn start_execution(&self, new: &NewExecution, started: &NewEvent) -> Result<String> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let sql = "SELECT id FROM executions WHERE pipeline = ? AND token = ?";
        let earlier =
            transaction.query_row(sql, params![new.pipeline, new.token], |row| row.get(0));
        if let Some(id) = earlier.optional()? {
            return Ok(id);
        }
        let sql = "INSERT INTO executions (id, pipeline, token, variables, started_at, api_url)
                   VALUES (?, ?, ?, ?, ?, ?)";
        let variables = serde_json::json!(new.variables).to_string();
        let values = params![new.id, new.pipeline, new.token, variables, now(), new.api_url];
        transaction.execute(sql, values)?;
        events::insert(&transaction, started)?;
        transaction.commit()?;
        self.execution.notify_one();
        self.delivery.notify_one();
        Ok(new.id.clone())
    }

    /// Ends an execution, and publishes `event`.
    pub(crate) fn end_execution(
        &self,
        id: &str,
        status: Status,
        log: &str,
        event: &NewEvent,
    ) -> Result<()> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let sql = "UPDATE executions SET status = ?, log = ?, ended_at = ?
                   WHERE id = ? AND status = 'InProgress'";
        if transaction.execute(sql, params![status.name(), log, now(), id])? == 1 {
            events::insert(&transaction, event)?;
        }
        transaction.commit()?;
        self.delivery.notify_one();
        Ok(())
    }

    /// Returns the execution `id`.
    ///
    /// # Errors
    ///
    /// If the state cannot be read.
    pub fn execution(&self, id: &str) -> Result<Option<Execution>> {
        let sql = "SELECT * FROM executions WHERE id = ?";
        self.lock().query_row(sql, [id], execution).optional()
    }

    /// Returns every execution, newest first.
    ///
    /// # Errors
    ///
    /// If the state cannot be read.
    pub fn executions(&self) -> Result<Vec<Execution>> {
        let sql = "SELECT * FROM executions ORDER BY started_at DESC, rowid DESC";
        let connection = self.lock();
        let mut query = connection.prepare_cached(sql)?;
        query.query_map([], execution)?.collect()
    }

    /// Returns the executions that have not ended, oldest first.
    pub(crate) fn running_executions(&self) -> Result<Vec<Execution>> {
        let sql = "SELECT * FROM executions WHERE status = 'InProgress' ORDER BY started_at";
        let connection = self.lock();
        let mut query = connection.prepare_cached(sql)?;
        query.query_map([], execution)?.collect()
    }
}

fn execution(row: &Row<'_>) -> Result<Execution> {
    let ended_at: Option<i64> = row.get("ended_at")?;
    Ok(Execution {
        id: row.get("id")?,
        pipeline: row.get("pipeline")?,
        variables: super::json(row, "variables")?,
        status: match row.get::<_, String>("status")?.as_str() {
            "Succeeded" => Status::Succeeded,
            "Failed" => Status::Failed,
            _ => Status::InProgress,
        },
        started_at: Timestamp::from_millis(row.get("started_at")?),
        ended_at: ended_at.map(Timestamp::from_millis),
        log: row.get("log")?,
        api_url: row.get("api_url")?,
    })
}
