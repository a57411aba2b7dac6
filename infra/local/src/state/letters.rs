use rusqlite::{Connection, Row, params};
use serde::Serialize;
use serde_json::Value;
use shared::domain::Timestamp;

use super::{Result, State, now};

/// What a function did not take, after the last attempt.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// Its number.
    pub id: i64,
    /// When it was given up.
    pub died_at: Timestamp,
    /// The rule or stream that it came by.
    pub source: String,
    /// The binary that did not take it.
    pub function: String,
    /// Why the last attempt failed.
    pub error: String,
    /// What the function got.
    pub payload: Value,
}

impl State {
    /// Every dead letter, newest first.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub fn dead_letters(&self) -> Result<Vec<DeadLetter>> {
        let connection = self.lock();
        let mut query = connection.prepare_cached("SELECT * FROM dead_letters ORDER BY id DESC")?;
        query.query_map([], letter)?.collect()
    }

    /// Keeps what a function has set aside itself.
    pub(crate) fn add_letter(
        &self,
        queue: &str,
        function: &str,
        error: &str,
        payload: &str,
    ) -> Result<()> {
        insert(&self.lock(), queue, function, error, payload)
    }

    /// Gives up a stretch of a stream: a dead letter, and the stream is read on behind it.
    pub(crate) fn skip(
        &self,
        mapping: &str,
        sequence: &str,
        function: &str,
        error: &str,
        payload: &Value,
    ) -> Result<()> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        insert(&transaction, mapping, function, error, &payload.to_string())?;
        super::set_checkpoint(&transaction, mapping, sequence)?;
        transaction.commit()
    }
}

pub(super) fn insert(
    connection: &Connection,
    source: &str,
    function: &str,
    error: &str,
    payload: &str,
) -> Result<()> {
    let sql = "INSERT INTO dead_letters (died_at, source, function, error, payload)
               VALUES (?, ?, ?, ?, ?)";
    connection.execute(sql, params![now(), source, function, error, payload]).map(drop)
}

fn letter(row: &Row<'_>) -> Result<DeadLetter> {
    Ok(DeadLetter {
        id: row.get("id")?,
        died_at: Timestamp::from_millis(row.get("died_at")?),
        source: row.get("source")?,
        function: row.get("function")?,
        error: row.get("error")?,
        payload: super::json_or_text(row, "payload")?,
    })
}
