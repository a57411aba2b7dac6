//! The delivery of events from the bus: late, twice, in any order, and again after a failure.

use std::{sync::Arc, time::Duration};

use local::state::Delivery;
use serde_json::Value;

use crate::{
    faults::Mishap,
    locked,
    units::{DAY, MINUTE},
    world::World,
};

/// Attempts of a delivery by Lambda, as configured in the template.
const ATTEMPTS: u32 = 3;

impl World {
    /// Delivers the events that were published.
    pub(crate) fn take_deliveries(self: &Arc<Self>) {
        let deliveries = self.services.take_deliveries();
        let deliveries = deliveries
            .unwrap_or_else(|error| self.violated("the bus can be read", &error.to_string()));
        for (delivery, envelope) in deliveries {
            let world = Arc::clone(self);
            let busy = self.busy();
            tokio::spawn(async move {
                world.deliver(&delivery, envelope).await;
                drop(busy);
            });
        }
    }

    async fn deliver(self: &Arc<Self>, delivery: &Delivery, envelope: Value) {
        let cause = cause(&envelope);
        let is_delayed = self.faults.strike(Mishap::Delayed, 25, &self.chance);
        let (least, most) = if is_delayed {
            (MINUTE, DAY)
        } else {
            (Duration::from_millis(5), Duration::from_secs(2))
        };
        tokio::time::sleep(self.chance.time(least, most)).await;
        self.deliver_now(&delivery.function, &cause, &envelope).await;
        if self.faults.strike(Mishap::Repeated, 40, &self.chance) {
            tokio::time::sleep(self.chance.time(Duration::from_millis(1), DAY)).await;
            self.deliver_now(&delivery.function, &cause, &envelope).await;
        }
    }

    async fn deliver_now(self: &Arc<Self>, function: &str, cause: &str, envelope: &Value) {
        for attempt in 1..=ATTEMPTS {
            if self.invoke(function, cause, envelope.clone()).await.is_ok() {
                self.effects.note_delivery(cause, function);
                return;
            }
            tokio::time::sleep(self.chance.time(MINUTE / 2, MINUTE * attempt)).await;
        }
        locked(&self.dead_letters).push((function.to_owned(), envelope.clone()));
    }

    /// Delivers the events again whose deliveries have failed, as an operator does. Returns whether there
    /// were any.
    pub(crate) async fn redrive(self: &Arc<Self>) -> bool {
        let letters = std::mem::take(&mut *locked(&self.dead_letters));
        let some = !letters.is_empty();
        for (function, envelope) in letters {
            self.deliver_now(&function, &cause(&envelope), &envelope).await;
        }
        some
    }
}

/// Returns the ID of an event: ours if it is one of ours.
fn cause(envelope: &Value) -> String {
    let ours = envelope["detail"]["id"].as_str();
    ours.or(envelope["id"].as_str()).unwrap_or_default().to_owned()
}
