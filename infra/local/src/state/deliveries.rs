use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::domain::Timestamp;

use super::{Result, State, letters, now};

/// The delivery of one event to one function.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// Its number.
    pub id: i64,
    /// The event.
    pub event: String,
    /// The rule that makes it.
    pub rule: String,
    /// The binary that gets the event.
    pub function: String,
    /// Attempts that were made.
    pub attempts: u32,
    /// When it is made next.
    pub due_at: Timestamp,
    /// How it stands.
    pub state: DeliveryState,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DeliveryState {
    /// To be made, or made again.
    Pending,
    /// The function took it.
    Done,
    /// Given up; it is among the dead letters.
    Dead,
}

impl DeliveryState {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }
}

impl State {
    /// Deliveries that are due at `now`, oldest first, with the events' envelopes.
    pub(crate) fn due_deliveries(&self, now: i64, most: usize) -> Result<Vec<(Delivery, Value)>> {
        let sql = "SELECT deliveries.*, events.envelope FROM deliveries
                   JOIN events ON events.id = deliveries.event
                   WHERE state = 'pending' AND due_at <= ? ORDER BY due_at, deliveries.id LIMIT ?";
        let connection = self.lock();
        let mut query = connection.prepare_cached(sql)?;
        let due = query.query_map(params![now, most], |row| {
            Ok((delivery(row)?, super::json_or_text(row, "envelope")?))
        })?;
        due.collect()
    }

    /// When the next delivery is due, of those that are not due at `now`.
    pub(crate) fn next_delivery(&self, now: i64) -> Result<Option<i64>> {
        let sql = "SELECT due_at FROM deliveries
                   WHERE state = 'pending' AND due_at > ? ORDER BY due_at LIMIT 1";
        self.lock().query_row(sql, [now], |row| row.get(0)).optional()
    }

    /// Notes that the function took the event.
    pub(crate) fn delivered(&self, id: i64) -> Result<()> {
        let sql = "UPDATE deliveries
                   SET state = 'done', attempts = attempts + 1, error = NULL WHERE id = ?";
        self.lock().execute(sql, [id]).map(drop)
    }

    /// Notes a failed attempt; the next one is `wait_ms` from now.
    pub(crate) fn deliver_later(&self, id: i64, error: &str, wait_ms: i64) -> Result<()> {
        let sql = "UPDATE deliveries
                   SET attempts = attempts + 1, due_at = ?, error = ? WHERE id = ?";
        self.lock().execute(sql, params![now() + wait_ms, error, id]).map(drop)
    }

    /// Gives a delivery up: it becomes a dead letter.
    pub(crate) fn give_up(&self, delivery: &Delivery, payload: &Value, error: &str) -> Result<()> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let sql = "UPDATE deliveries
                   SET state = 'dead', attempts = attempts + 1, error = ? WHERE id = ?";
        transaction.execute(sql, params![error, delivery.id])?;
        let payload = payload.to_string();
        letters::insert(&transaction, &delivery.rule, &delivery.function, error, &payload)?;
        transaction.commit()
    }
}

pub(super) fn of_event(connection: &Connection, event: &str) -> Result<Vec<Delivery>> {
    let mut query = connection.prepare_cached("SELECT * FROM deliveries WHERE event = ?")?;
    query.query_map([event], delivery)?.collect()
}

fn delivery(row: &Row<'_>) -> Result<Delivery> {
    Ok(Delivery {
        id: row.get("id")?,
        event: row.get("event")?,
        rule: row.get("rule")?,
        function: row.get("function")?,
        attempts: row.get("attempts")?,
        due_at: Timestamp::from_millis(row.get("due_at")?),
        state: match row.get::<_, String>("state")?.as_str() {
            "done" => DeliveryState::Done,
            "dead" => DeliveryState::Dead,
            _ => DeliveryState::Pending,
        },
        error: row.get("error")?,
    })
}
