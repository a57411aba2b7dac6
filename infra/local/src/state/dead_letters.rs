use rusqlite::{Connection, Row, params};
use schema::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{Result, State, now};

/// An event or a batch that a function failed to handle in all attempts.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// The number of the dead letter.
    pub id: i64,
    /// When the last attempt failed.
    pub died_at: Timestamp,
    /// The rule, stream or queue that it came from.
    pub source: String,
    /// The binary of the function that failed.
    pub function: String,
    /// Why the last attempt failed.
    pub error: String,
    /// The payload of the function.
    pub payload: Value,
}

impl State {
    /// Returns every dead letter, newest first.
    ///
    /// # Errors
    ///
    /// If the state cannot be read.
    pub fn dead_letters(&self) -> Result<Vec<DeadLetter>> {
        let connection = self.lock();
        let mut query = connection.prepare_cached("SELECT * FROM dead_letters ORDER BY id DESC")?;
        query.query_map([], letter)?.collect()
    }

    /// Stores a dead letter that a function has sent.
    pub(crate) fn add_letter(
        &self,
        queue: &str,
        function: &str,
        error: &str,
        payload: &str,
    ) -> Result<()> {
        insert(&self.lock(), queue, function, error, payload)
    }

    /// Gives up records of a stream. They become a dead letter, and reading continues behind them.
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
