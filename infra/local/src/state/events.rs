use rusqlite::{Connection, Row, params};
use serde::Serialize;
use serde_json::Value;

use super::{Delivery, Result, State, deliveries, now};

/// An event that a bus took.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Its id on the bus.
    pub id: String,
    /// The bus.
    pub bus: String,
    /// What functions get.
    pub envelope: Value,
    /// Its delivery to each function that a rule hands it to.
    pub deliveries: Vec<Delivery>,
}

impl Event {
    /// Its detail type.
    #[must_use]
    pub fn detail_type(&self) -> &str {
        self.envelope["detail-type"].as_str().unwrap_or_default()
    }

    /// When it happened, and what its detail says of a state.
    pub(crate) fn summary(&self) -> String {
        let said = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let state = said(&self.envelope["detail"]["state"]);
        format!("{} {state}", said(&self.envelope["time"]))
    }
}

/// An event to keep with the deliveries that rules make of it.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Its id on the bus.
    pub id: String,
    /// The bus.
    pub bus: String,
    /// What functions get.
    pub envelope: Value,
    /// Which function gets it, by which rule.
    pub deliveries: Vec<NewDelivery>,
}

/// A delivery to make.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    /// The rule that makes it.
    pub rule: String,
    /// The binary that gets the event.
    pub function: String,
}

impl State {
    /// Keeps events and their deliveries, all or none.
    ///
    /// # Errors
    ///
    /// Where the state cannot be written.
    pub fn add_events(&self, events: &[NewEvent]) -> Result<()> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        for event in events {
            insert(&transaction, event)?;
        }
        transaction.commit()?;
        self.delivery.notify_one();
        Ok(())
    }

    /// Every event, newest first.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub fn events(&self) -> Result<Vec<Event>> {
        let connection = self.lock();
        let mut query = connection.prepare_cached("SELECT * FROM events ORDER BY position DESC")?;
        let mut events = query.query_map([], event)?.collect::<Result<Vec<_>>>()?;
        for event in &mut events {
            event.deliveries = deliveries::of_event(&connection, &event.id)?;
        }
        Ok(events)
    }
}

/// Keeps one event within a transaction.
pub(super) fn insert(connection: &Connection, event: &NewEvent) -> Result<()> {
    let sql = "INSERT INTO events (id, bus, envelope) VALUES (?, ?, ?)";
    connection.execute(sql, params![event.id, event.bus, event.envelope.to_string()])?;
    for delivery in &event.deliveries {
        let sql = "INSERT INTO deliveries (event, rule, function, due_at) VALUES (?, ?, ?, ?)";
        connection.execute(sql, params![event.id, delivery.rule, delivery.function, now()])?;
    }
    Ok(())
}

fn event(row: &Row<'_>) -> Result<Event> {
    Ok(Event {
        id: row.get("id")?,
        bus: row.get("bus")?,
        envelope: super::json_or_text(row, "envelope")?,
        deliveries: Vec::new(),
    })
}
