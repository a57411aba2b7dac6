//! Subscriptions: one at a time, their periods without gap or overlap, each with one invoice and event.

use std::collections::BTreeMap;

use domain::{InvoiceId, SubscriptionId};
use schema::Timestamp;

use super::plain;
use crate::{
    history::{Change, Image, text},
    world::World,
};

/// The start and the end of a period.
type Period = (String, String);

/// The phases of a subscription that has ended.
const ENDED: [&str; 2] = ["cancelled", "expired"];

fn period(image: &Image) -> Option<Period> {
    let period = plain(image.get("currentPeriod")?);
    let part = |name: &str| period[name].as_str().map(str::to_owned);
    Some((part("start")?, part("end")?))
}

impl World {
    /// Checks the periods of a changed subscription.
    pub(super) fn check_period(&self, change: &Change) {
        let (Some(before), Some(after)) = (period(change.before()), period(change.after())) else {
            return;
        };
        let has_ended = ENDED.contains(&text(change.after(), "phase"));
        let is_cut = has_ended && before.0 == after.0 && after.1 <= before.1;
        if before != after && before.1 != after.0 && !is_cut {
            let how = format!("{}: {before:?}, {after:?}", change.key.1);
            self.violated("periods follow one another", &how);
        }
    }

    /// Checks that a tenant has at most one subscription that has not ended.
    pub(super) fn check_current(&self, pk: &str) {
        let all = self.history.partition(pk);
        let current = all.iter().filter(|item| {
            item.entity() == "subscription" && !ENDED.contains(&text(item.after(), "phase"))
        });
        let current: Vec<_> = current.map(|item| text(item.after(), "id").to_owned()).collect();
        let claim = self.history.item(pk, "CURRENT_SUBSCRIPTION");
        let claimed: Vec<_> =
            claim.iter().map(|claim| text(claim.after(), "holder").to_owned()).collect();
        if current.len() > 1 || current != claimed {
            let how = format!("{pk}: {current:?}, claimed by {claimed:?}");
            self.violated("a tenant has one subscription", &how);
        }
    }

    /// Checks that no period has ended without a decision about what follows.
    pub(super) fn check_on_time(&self) {
        let now = lambda::now().to_string();
        for item in self.history.items() {
            if item.entity() != "subscription" || ENDED.contains(&text(item.after(), "phase")) {
                continue;
            }
            if let Some((start, end)) = period(item.after()).filter(|(_, end)| *end < now) {
                let how = format!("{}: {start} to {end}, and it is {now}", item.key.1);
                self.violated("periods follow one another in time", &how);
            }
        }
    }

    /// Checks that each period has an invoice and an event.
    pub(super) fn check_periods(&self) {
        let mut begun = BTreeMap::<_, (usize, usize)>::new();
        for change in self.history.since(0) {
            if change.entity() != "subscription" {
                continue;
            }
            let (before, after) = (period(change.before()), period(change.after()));
            let events = change.after().get("events").map(plain).unwrap_or_default();
            let begins = |kind: &&serde_json::Value| {
                **kind == "SUBSCRIPTION_ACTIVATED" || **kind == "SUBSCRIPTION_RENEWED"
            };
            let events = events.as_array().map_or(0, |all| all.iter().filter(begins).count());
            let counts = begun.entry(change.key.1.clone()).or_default();
            counts.1 += events;
            let is_new =
                before.map(|before| before.0) != after.as_ref().map(|after| after.0.clone());
            let Some(after) = after.filter(|_| is_new) else { continue };
            counts.0 += 1;
            if text(change.after(), "phase") != "trialing" {
                self.check_invoice_of(&change, &after.0);
            }
        }
        for (subscription, (periods, events)) in begun {
            if periods != events {
                let how = format!("{subscription}: {periods} periods, {events} events");
                self.violated("each period has one event", &how);
            }
        }
    }

    fn check_invoice_of(&self, change: &Change, start: &str) {
        let id: Option<SubscriptionId> = text(change.after(), "id").parse().ok();
        let start: Option<Timestamp> = start.parse().ok();
        let invoice = id.zip(start).map(|(id, start)| InvoiceId::for_period(id, start));
        let invoice = invoice
            .and_then(|invoice| self.history.item(&change.key.0, &format!("INVOICE#{invoice}")));
        if invoice.is_none() {
            let phase = text(change.after(), "phase");
            let how = format!("{} {}, {phase} from {start:?}", change.key.0, change.key.1);
            self.violated("each period has an invoice", &how);
        }
    }
}
