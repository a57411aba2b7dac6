use rusqlite::{Connection, OptionalExtension, Row, params};
use schema::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Result, State, dead_letters, now};

/// The delivery of one event to one function.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// The number of the delivery.
    pub id: i64,
    /// The ID of the event.
    pub event: String,
    /// The rule that causes the delivery.
    pub rule: String,
    /// The binary of the receiving function.
    pub function: String,
    /// Number of attempts so far.
    pub attempts: u32,
    /// When the next attempt is due.
    pub due_at: Timestamp,
    /// The state of the delivery.
    pub state: DeliveryState,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

/// The state of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DeliveryState {
    /// Waiting for an attempt.
    Pending,
    /// The function succeeded.
    Done,
    /// Given up. The event is a dead letter.
    Dead,
}

impl DeliveryState {
    /// Returns the name of the state.
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
    /// Returns the deliveries that are due at `now`, oldest first, with their events.
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

    /// Returns when the next delivery after `now` is due.
    pub(crate) fn next_delivery(&self, now: i64) -> Result<Option<i64>> {
        let sql = "SELECT due_at FROM deliveries
                   WHERE state = 'pending' AND due_at > ? ORDER BY due_at LIMIT 1";
        self.lock().query_row(sql, [now], |row| row.get(0)).optional()
    }

    /// Records a successful delivery.
    pub(crate) fn delivered(&self, id: i64) -> Result<()> {
        let sql = "UPDATE deliveries
                   SET state = 'done', attempts = attempts + 1, error = NULL WHERE id = ?";
        self.lock().execute(sql, [id]).map(drop)
    }

    /// Records a failed attempt. The next one is due in `wait_ms` milliseconds.
    pub(crate) fn deliver_later(&self, id: i64, error: &str, wait_ms: i64) -> Result<()> {
        let sql = "UPDATE deliveries
                   SET attempts = attempts + 1, due_at = ?, error = ? WHERE id = ?";
        self.lock().execute(sql, params![now() + wait_ms, error, id]).map(drop)
    }

    /// Gives up a delivery. The event becomes a dead letter.
    pub(crate) fn give_up(&self, delivery: &Delivery, payload: &Value, error: &str) -> Result<()> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let sql = "UPDATE deliveries
                   SET state = 'dead', attempts = attempts + 1, error = ? WHERE id = ?";
        transaction.execute(sql, params![error, delivery.id])?;
        let payload = payload.to_string();
        dead_letters::insert(&transaction, &delivery.rule, &delivery.function, error, &payload)?;
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
