//! Every change of the table, in order, and the items as they are now.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock, Mutex},
};

use serde_json::{Map, Value};
use tokio::sync::Notify;

use crate::{locked, streams::sequence, virtual_time, world::World};

/// An item in DynamoDB's JSON.
pub(crate) type Image = Map<String, Value>;

/// No item.
pub(crate) static NOTHING: LazyLock<Image> = LazyLock::new(Image::new);

/// The key of an item.
pub(crate) type Key = (String, String);

/// A change of an item, as the table's stream reports it.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) key: Key,
    /// The record as functions receive it.
    pub(crate) record: Value,
    /// When the change was made, in milliseconds since the beginning.
    pub(crate) at: u64,
}

#[derive(Debug, Default)]
pub(crate) struct History {
    inner: Mutex<Inner>,
    /// Notified after each change.
    pub(crate) changed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    changes: Vec<Arc<Change>>,
    items: BTreeMap<Key, Arc<Change>>,
    /// The keys of items that are due for the reconciler, by time.
    due: BTreeSet<(String, Key)>,
}

/// The partitions of the index that the reconciler reads, by time.
const DUE: [&str; 2] = ["open-job#0", "timer#0"];

impl Change {
    fn read(record: Value) -> Self {
        let mut change = Self { key: Key::default(), record, at: virtual_time::elapsed_ms() };
        let some = change.either();
        change.key = (text(some, "pk").to_owned(), text(some, "sk").to_owned());
        change
    }

    /// Returns the item as it was before, without attributes if there was none.
    pub(crate) fn before(&self) -> &Image {
        self.image("OldImage")
    }

    /// Returns the item as it is afterwards, without attributes if there is none.
    pub(crate) fn after(&self) -> &Image {
        self.image("NewImage")
    }

    fn image(&self, name: &str) -> &Image {
        self.record["dynamodb"][name].as_object().unwrap_or(&NOTHING)
    }

    fn either(&self) -> &Image {
        if self.after().is_empty() { self.before() } else { self.after() }
    }

    /// Returns the kind of the item.
    pub(crate) fn entity(&self) -> &str {
        text(self.either(), "entity")
    }
}

/// Returns a text of an item, or an empty one.
pub(crate) fn text<'i>(image: &'i Image, name: &str) -> &'i str {
    image.get(name).and_then(|value| value["S"].as_str()).unwrap_or_default()
}

/// Returns a whole number of an item, or 0.
pub(crate) fn number(image: &Image, name: &str) -> u64 {
    let number = image.get(name).and_then(|value| value["N"].as_str());
    number.and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn due(image: &Image) -> Option<String> {
    DUE.contains(&text(image, "gsi1pk")).then(|| text(image, "gsi1sk").to_owned())
}

impl History {
    pub(crate) fn len(&self) -> usize {
        locked(&self.inner).changes.len()
    }

    /// Returns the sequence number of the last change, or an empty text.
    fn last(&self) -> String {
        let inner = locked(&self.inner);
        inner.changes.last().map(|it| sequence(&it.record).to_owned()).unwrap_or_default()
    }

    /// Returns the changes from number `start` on.
    pub(crate) fn since(&self, start: usize) -> Vec<Arc<Change>> {
        locked(&self.inner).changes.get(start..).map(<[_]>::to_vec).unwrap_or_default()
    }

    /// Returns the last change of an item that exists.
    pub(crate) fn item(&self, pk: &str, sk: &str) -> Option<Arc<Change>> {
        let key = (pk.to_owned(), sk.to_owned());
        locked(&self.inner).items.get(&key).cloned()
    }

    /// Returns all changes of an item, oldest first.
    pub(crate) fn of(&self, pk: &str, sk: &str) -> Vec<Arc<Change>> {
        let inner = locked(&self.inner);
        let is_of = |change: &&Arc<Change>| change.key.0 == pk && change.key.1 == sk;
        inner.changes.iter().filter(is_of).map(Arc::clone).collect()
    }

    /// Returns every item as it is now.
    pub(crate) fn items(&self) -> Vec<Arc<Change>> {
        locked(&self.inner).items.values().cloned().collect()
    }

    /// Returns the items with this partition key as they are now.
    pub(crate) fn partition(&self, pk: &str) -> Vec<Arc<Change>> {
        let inner = locked(&self.inner);
        let range = inner.items.range((pk.to_owned(), String::new())..);
        range.take_while(|(key, _)| key.0 == pk).map(|(_, change)| Arc::clone(change)).collect()
    }

    /// Returns when the reconciler has something to do.
    pub(crate) fn next_due(&self) -> Option<String> {
        locked(&self.inner).due.first().map(|(at, _)| at.clone())
    }

    fn push(&self, change: &Arc<Change>) {
        let mut inner = locked(&self.inner);
        if let Some(at) = due(change.before()) {
            inner.due.remove(&(at, change.key.clone()));
        }
        if let Some(at) = due(change.after()) {
            inner.due.insert((at, change.key.clone()));
        }
        if change.after().is_empty() {
            inner.items.remove(&change.key);
        } else {
            inner.items.insert(change.key.clone(), Arc::clone(change));
        }
        inner.changes.push(Arc::clone(change));
    }
}

impl World {
    /// Reads what has changed in the table, and checks it.
    pub(crate) fn read_history(&self) {
        let functions = &self.services.template().functions;
        let Some(mapping) = functions.iter().find_map(|function| function.streams.first()) else {
            return;
        };
        let start = self.history.len();
        loop {
            let records = self.services.records(mapping, &self.history.last());
            let records = records.unwrap_or_else(|error| {
                self.violated("the stream can be read", &error.to_string())
            });
            let is_full = records.len() == mapping.batch_size;
            for record in records {
                let change = Arc::new(Change::read(record));
                self.check_change(&change);
                self.history.push(&change);
            }
            if !is_full {
                break;
            }
        }
        self.check_together(&self.history.since(start));
        self.history.changed.notify_waiters();
    }
}
