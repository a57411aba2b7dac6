//! Each change has its event, each event its effect, and nothing else happens.

use std::collections::{BTreeMap, BTreeSet};

use domain::{EventType, Grants, JobState};
use serde_json::Value;

use super::plain;
use crate::{
    history::{Change, Image, number, text},
    world::World,
};

/// The ID and the type of an event.
type Event = (String, String);

/// Attributes of a subscription that change without a decision about it, which alone has events.
const UNDECIDED: [&str; 9] = [
    "version",
    "deleted",
    "deletedOn",
    "deletedBy",
    "modifiedOn",
    "modifiedBy",
    "trace",
    "requestId",
    "events",
];

/// A lead's key expires after a day, so a later event has no email.
const VALID_MS: u64 = 23 * 3600 * 1000;

impl World {
    /// Checks that the published events are those of the changes.
    pub(super) fn check_events(&self) {
        let mut expected = BTreeMap::new();
        for change in self.history.since(0) {
            for event in self.events_of(&change) {
                expected.insert(event, change.at);
            }
        }
        let published = self.effects.events();
        if let Some(missing) = expected.keys().find(|event| !published.contains(*event)) {
            self.violated("each change has its event", &format!("{missing:?}"));
        }
        if let Some(other) = published.iter().find(|event| !expected.contains_key(*event)) {
            self.violated("each event has its change", &format!("{other:?}"));
        }
        self.check_mails(&expected);
    }

    /// Returns the events that a change must have.
    fn events_of(&self, change: &Change) -> Vec<Event> {
        let (old, new) = (change.before(), change.after());
        if new.is_empty() {
            return Vec::new();
        }
        let id = format!("{}#{}", text(new, "id"), number(new, "version"));
        let status = |image: &Image| (!image.is_empty()).then(|| number(image, "status"));
        let kind = match change.entity() {
            "lead" if old.is_empty() => Some("LEAD_CREATED".to_owned()),
            "lead" if new.get("link") != old.get("link") && new.contains_key("link") => {
                Some("LEAD_LINK_REQUESTED".to_owned())
            }
            "job" if text(new, "state") != text(old, "state") => self.kind_of_job(new),
            "tenant" => match (status(old), status(new)) {
                (Some(0), Some(6)) => Some("TENANT_SUSPENDED".to_owned()),
                (Some(6), Some(0)) => Some("TENANT_REACTIVATED".to_owned()),
                _ => None,
            },
            "subscription" if is_decided(old, new) => {
                let named = new.get("events").map(plain).unwrap_or_default();
                let named = named.as_array().cloned().unwrap_or_default().into_iter();
                let events = named.filter_map(|kind| kind.as_str().map(str::to_owned));
                return events.map(|kind| (format!("{id}#{kind}"), kind)).collect();
            }
            "entitlements" => {
                let before = (!old.is_empty()).then(|| self.grants(old));
                let differ = self.grants(new).differ_from(before.as_ref());
                let id = format!("{}#entitlements#{}", text(new, "id"), number(new, "version"));
                return Vec::from_iter(differ.then(|| (id, "ENTITLEMENTS_CHANGED".to_owned())));
            }
            _ => None,
        };
        kind.map(|kind| (id, kind)).into_iter().collect()
    }

    fn kind_of_job(&self, job: &Image) -> Option<String> {
        let read = |name| serde_json::from_value(text(job, name).into());
        let state: Result<JobState, _> = read("state");
        let kind = serde_json::from_value(text(job, "kind").into());
        match (kind, state) {
            (Ok(kind), Ok(state)) => EventType::for_job(kind, state).map(|kind| kind.to_string()),
            _ => self.violated("jobs can be read", text(job, "id")),
        }
    }

    fn grants(&self, image: &Image) -> Grants {
        let plain: Value = image.iter().map(|(name, value)| (name.clone(), plain(value))).collect();
        serde_json::from_value(plain)
            .unwrap_or_else(|error| self.violated("entitlements can be read", &error.to_string()))
    }

    /// Checks that emails were sent: at least one, and more only after a fault of the mailer.
    fn check_mails(&self, events: &BTreeMap<Event, u64>) {
        let (mails, delivered) = (self.effects.mails(), self.effects.delivered());
        for (event, (sent, faults)) in &mails {
            if *sent > 1 + faults {
                let how = format!("{event}: {sent} emails, {faults} faults");
                self.violated("an email is sent once", &how);
            }
        }
        let unmailed: BTreeSet<String> = self.unmailed();
        for ((event, kind), changed) in events {
            let must_be_sent = match kind.as_str() {
                "LEAD_CREATED" => !unmailed.contains(event),
                "LEAD_LINK_REQUESTED" => true,
                _ => continue,
            };
            let arrived = delivered.get(&(event.clone(), "mailer".to_owned()));
            let in_time = arrived.is_some_and(|at| *at < changed + VALID_MS);
            if must_be_sent && in_time && mails.get(event).is_none_or(|(sent, _)| *sent == 0) {
                self.violated("each email is sent", &format!("{kind} {event}"));
            }
        }
    }

    /// Returns the events of leads whose mailbox had its emails of the day.
    fn unmailed(&self) -> BTreeSet<String> {
        let leads = self.history.since(0).into_iter().filter(|change| change.entity() == "lead");
        let marked =
            leads.filter(|lead| lead.after().get("unmailed").is_some_and(|it| it["BOOL"] == true));
        marked
            .map(|lead| format!("{}#{}", text(lead.after(), "id"), number(lead.after(), "version")))
            .collect()
    }
}

/// Returns whether a subscription has changed in more than what its edit or its deletion changes.
fn is_decided(old: &Image, new: &Image) -> bool {
    let names = old.keys().chain(new.keys());
    let is_index = |name: &str| name.starts_with("gsi");
    let mut decided = names.filter(|name| !UNDECIDED.contains(&name.as_str()) && !is_index(name));
    decided.any(|name| old.get(name) != new.get(name))
}
