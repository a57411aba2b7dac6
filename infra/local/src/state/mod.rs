//! The state of the simulated AWS services, in one file: emails, events and their deliveries,
//! secrets, pipeline executions, positions in streams, dead letters, and the clock.
//!
//! Every step that must survive a crash is one transaction.

mod clock;
mod dead_letters;
mod deliveries;
mod events;
mod executions;
mod mails;
mod secrets;

use std::{
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;
use tokio::sync::Notify;

pub use dead_letters::DeadLetter;
pub use deliveries::{Delivery, DeliveryState};
pub use events::{Event, NewDelivery, NewEvent};
pub use executions::{Execution, NewExecution, Status};
pub use mails::{Mail, NewMail};
pub use secrets::Secret;

/// A result with an error of `SQLite`.
pub type Result<T> = std::result::Result<T, rusqlite::Error>;

const SCHEMA: &str = include_str!("schema.sql");

/// The state. Its methods block the calling thread for a short time only.
#[derive(Debug)]
pub struct State {
    connection: Mutex<Connection>,
    /// Notified when a delivery may be due.
    pub(crate) delivery: Notify,
    /// Notified when there may be an execution to run.
    pub(crate) execution: Notify,
}

impl State {
    /// Opens the state in `file`; `None` keeps it in memory.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or written, or does not hold a state.
    pub fn open(file: Option<&Path>) -> Result<Self> {
        let connection = match file {
            Some(file) => Connection::open(file)?,
            None => Connection::open_in_memory()?,
        };
        // NORMAL survives a crash of the process. A power failure may lose the latest transactions.
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self {
            connection: Mutex::new(connection),
            delivery: Notify::new(),
            execution: Notify::new(),
        })
    }

    /// Returns how far the stream `mapping` is read.
    pub(crate) fn checkpoint(&self, mapping: &str) -> Result<Option<String>> {
        let sql = "SELECT sequence FROM checkpoints WHERE mapping = ?";
        self.lock().query_row(sql, [mapping], |row| row.get(0)).optional()
    }

    /// Records that `mapping` is read up to `sequence`.
    pub(crate) fn set_checkpoint(&self, mapping: &str, sequence: &str) -> Result<()> {
        set_checkpoint(&self.lock(), mapping, sequence)
    }

    /// Returns whether every delivery has ended, and `with_executions` every execution as well.
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

/// Returns the current time, in milliseconds since the epoch.
pub(crate) fn now() -> i64 {
    lambda::now().millis()
}

/// Reads a column of JSON.
fn json<T: serde::de::DeserializeOwned>(row: &rusqlite::Row<'_>, column: &str) -> Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|cause| {
        let kind = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(0, kind, Box::new(cause))
    })
}

/// Reads a column of foreign JSON. Invalid JSON is returned as text, so that one row does not hide
/// the others.
fn json_or_text(row: &rusqlite::Row<'_>, column: &str) -> Result<Value> {
    let text: String = row.get(column)?;
    Ok(serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

#[cfg(test)]
mod tests;
