//! What AWS would remember, in one file: mails, events and their deliveries, secrets,
//! pipeline executions, how far streams are read, dead letters.
//!
//! Every step that must survive a kill is one transaction here.

mod deliveries;
mod events;
mod executions;
mod letters;
mod mails;
mod secrets;

use std::{
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;
use tokio::sync::Notify;

pub use deliveries::{Delivery, DeliveryState};
pub use events::{Event, NewDelivery, NewEvent};
pub use executions::{Execution, NewExecution, Status};
pub use letters::DeadLetter;
pub use mails::{Mail, NewMail};
pub use secrets::Secret;

/// A failure of the state's file.
pub type Result<T> = std::result::Result<T, rusqlite::Error>;

const SCHEMA: &str = include_str!("schema.sql");

/// The state. Its methods are short, so they run where they are called.
#[derive(Debug)]
pub struct State {
    connection: Mutex<Connection>,
    /// Told when there may be a delivery to make.
    pub(crate) delivery: Notify,
    /// Told when there may be an execution to play.
    pub(crate) execution: Notify,
}

impl State {
    /// Opens the state in `file`; `None` keeps it in memory.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read or written, or is no state.
    pub fn open(file: Option<&Path>) -> Result<Self> {
        let connection = match file {
            Some(file) => Connection::open(file)?,
            None => Connection::open_in_memory()?,
        };
        // NORMAL survives a kill of the process; only a power cut may take the last moments.
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self {
            connection: Mutex::new(connection),
            delivery: Notify::new(),
            execution: Notify::new(),
        })
    }

    /// How far the stream `mapping` is read.
    pub(crate) fn checkpoint(&self, mapping: &str) -> Result<Option<String>> {
        let sql = "SELECT sequence FROM checkpoints WHERE mapping = ?";
        self.lock().query_row(sql, [mapping], |row| row.get(0)).optional()
    }

    /// Notes that `mapping` is read up to `sequence`.
    pub(crate) fn set_checkpoint(&self, mapping: &str, sequence: &str) -> Result<()> {
        set_checkpoint(&self.lock(), mapping, sequence)
    }

    /// Whether every delivery has ended, and every execution where those count.
    pub(crate) fn is_idle(&self, with_executions: bool) -> Result<bool> {
        let sql = "SELECT NOT EXISTS (SELECT 1 FROM deliveries WHERE state = 'pending')
                   AND NOT EXISTS (SELECT 1 FROM executions WHERE ? AND status = 'InProgress')";
        self.lock().query_row(sql, [with_executions], |row| row.get(0))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn set_checkpoint(connection: &Connection, mapping: &str, sequence: &str) -> Result<()> {
    let sql = "INSERT INTO checkpoints (mapping, sequence) VALUES (?, ?)
               ON CONFLICT (mapping) DO UPDATE SET sequence = excluded.sequence";
    connection.execute(sql, params![mapping, sequence]).map(drop)
}

/// The time now, in milliseconds since the epoch.
pub(crate) fn now() -> i64 {
    shared::now().millis()
}

/// A column of JSON.
fn json<T: serde::de::DeserializeOwned>(row: &rusqlite::Row<'_>, column: &str) -> Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|cause| {
        let kind = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(0, kind, Box::new(cause))
    })
}

/// A column of JSON of others, as it is or, if it cannot be read, as text: one row hides no other.
fn json_or_text(row: &rusqlite::Row<'_>, column: &str) -> Result<Value> {
    let text: String = row.get(column)?;
    Ok(serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

#[cfg(test)]
mod tests;
