//! Effects of the product outside of its table: events, emails and executions.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use local::Answered;
use serde_json::Value;
use tokio::sync::Notify;

use crate::{connector::Call, invocation::Invocation, locked, virtual_time};

#[derive(Debug, Default)]
pub(crate) struct Effects {
    inner: Mutex<Inner>,
    /// Notified after each email.
    pub(crate) mailed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    /// The IDs of published events with their types.
    events: BTreeSet<(String, String)>,
    /// When an event was first delivered to a function, in milliseconds since the beginning.
    delivered: BTreeMap<(String, String), u64>,
    /// The number of emails by event.
    mails: BTreeMap<String, u32>,
    /// The number of faults of the mailer by event.
    mailer_faults: BTreeMap<String, u32>,
    /// The links in the emails to an address.
    links: BTreeMap<String, Vec<String>>,
    /// The executions of pipelines by job.
    executions: BTreeMap<String, BTreeSet<String>>,
}

impl Effects {
    /// Records the events that the bus has accepted.
    pub(crate) fn note_events(&self, call: &Call, answered: &Answered) {
        let (asked, answer) = (call.json(), answered.json());
        let entries = asked["Entries"].as_array().into_iter().flatten();
        let results = answer["Entries"].as_array().into_iter().flatten();
        let accepted = entries.zip(results).filter(|(_, result)| result["EventId"].is_string());
        let events = accepted.map(|(entry, _)| {
            let detail = entry["Detail"].as_str().unwrap_or_default();
            let detail: Value = serde_json::from_str(detail).unwrap_or_default();
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            (text(&detail["id"]), text(&entry["DetailType"]))
        });
        locked(&self.inner).events.extend(events);
    }

    pub(crate) fn note_delivery(&self, event: &str, function: &str) {
        let mut inner = locked(&self.inner);
        let delivery = (event.to_owned(), function.to_owned());
        inner.delivered.entry(delivery).or_insert_with(virtual_time::elapsed_ms);
    }

    /// Records an email that SES has accepted.
    pub(crate) fn note_mail(&self, call: &Call) {
        let cause = call.by.as_ref().map(|by| by.cause.clone()).unwrap_or_default();
        let body = call.json();
        let to = body["Destination"]["ToAddresses"][0].as_str().unwrap_or_default().to_owned();
        let text = body["Content"]["Simple"]["Body"]["Text"]["Data"].as_str().unwrap_or_default();
        let links = text.split_whitespace().filter(|word| word.contains("code="));
        let mut inner = locked(&self.inner);
        *inner.mails.entry(cause).or_default() += 1;
        inner.links.entry(to).or_default().extend(links.map(str::to_owned));
        drop(inner);
        self.mailed.notify_waiters();
    }

    /// Records a fault of a function.
    pub(crate) fn note_fault(&self, by: &Invocation) {
        if by.function == "mailer" {
            *locked(&self.inner).mailer_faults.entry(by.cause.clone()).or_default() += 1;
        }
    }

    /// Records the execution of a job's pipeline. Returns whether it is new.
    pub(crate) fn note_execution(&self, job: &str, execution: &str) -> bool {
        let mut inner = locked(&self.inner);
        inner.executions.entry(job.to_owned()).or_default().insert(execution.to_owned())
    }

    /// Returns the latest link in an email to an address.
    pub(crate) fn latest_link(&self, to: &str) -> Option<String> {
        locked(&self.inner).links.get(to)?.last().cloned()
    }

    /// Returns the number of published events.
    pub(crate) fn published(&self) -> usize {
        locked(&self.inner).events.len()
    }

    pub(crate) fn events(&self) -> BTreeSet<(String, String)> {
        locked(&self.inner).events.clone()
    }

    pub(crate) fn delivered(&self) -> BTreeMap<(String, String), u64> {
        locked(&self.inner).delivered.clone()
    }

    /// Returns, for each event with an email or a fault of the mailer, the numbers of both.
    pub(crate) fn mails(&self) -> BTreeMap<String, (u32, u32)> {
        let inner = locked(&self.inner);
        let events = inner.mails.keys().chain(inner.mailer_faults.keys());
        let of = |counts: &BTreeMap<String, u32>, event| counts.get(event).copied().unwrap_or(0);
        let counted = events.map(|event| {
            (event.clone(), (of(&inner.mails, event), of(&inner.mailer_faults, event)))
        });
        counted.collect()
    }

    pub(crate) fn executions(&self) -> BTreeMap<String, BTreeSet<String>> {
        locked(&self.inner).executions.clone()
    }
}
