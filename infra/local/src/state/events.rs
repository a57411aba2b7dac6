use rusqlite::{Connection, Row, params};
use serde::Serialize;
use serde_json::Value;

use super::{Delivery, Result, State, deliveries, now};

/// An event on a bus.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The ID of the event.
    pub id: String,
    /// The bus.
    pub bus: String,
    /// The event as functions receive it.
    pub envelope: Value,
    /// The deliveries to functions.
    pub deliveries: Vec<Delivery>,
}

impl Event {
    /// Returns the detail type.
    #[must_use]
    pub fn detail_type(&self) -> &str {
        self.envelope["detail-type"].as_str().unwrap_or_default()
    }

    /// Returns the time of the event, and the state in its detail.
    pub(crate) fn summary(&self) -> String {
        let said = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let state = said(&self.envelope["detail"]["state"]);
        format!("{} {state}", said(&self.envelope["time"]))
    }
}

/// An event to store, with its deliveries.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// The ID of the event.
    pub id: String,
    /// The bus.
    pub bus: String,
    /// The event as functions receive it.
    pub envelope: Value,
    /// The deliveries to functions.
    pub deliveries: Vec<NewDelivery>,
}

/// A delivery to store.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    /// The rule that causes the delivery.
    pub rule: String,
    /// The binary of the receiving function.
    pub function: String,
}

impl State {
    /// Stores events and their deliveries in one transaction.
    ///
    /// # Errors
    ///
    /// If the state cannot be written.
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

    /// Returns every event, newest first.
    ///
    /// # Errors
    ///
    /// If the state cannot be read.
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

/// Stores one event in the caller's transaction.
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
