//! The table's stream: every function reads each shard on its own, in order, some batches twice.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use local::template::Mapping;
use serde_json::{Value, json};

use crate::{
    faults::Mishap,
    history::Change,
    locked,
    units::{DAY, MINUTE, SECOND},
    world::World,
};

/// Number of shards. Items with the same partition key are in the same one.
const SHARDS: u64 = 3;

/// The positions of all readers.
#[derive(Debug, Default)]
pub(crate) struct Positions(Mutex<Vec<Arc<AtomicUsize>>>);

impl Positions {
    fn add(&self) -> Arc<AtomicUsize> {
        let position = Arc::<AtomicUsize>::default();
        locked(&self.0).push(Arc::clone(&position));
        position
    }

    /// Returns whether every reader has read everything up to `end`.
    pub(crate) fn are_at(&self, end: usize) -> bool {
        locked(&self.0).iter().all(|position| position.load(Relaxed) == end)
    }
}

impl World {
    /// Starts the readers of all streams.
    pub(crate) fn read_streams(self: &Arc<Self>) {
        for function in &self.services.template().functions {
            for mapping in &function.streams {
                for shard in 0..SHARDS {
                    let (world, mapping) = (Arc::clone(self), mapping.clone());
                    let (function, position) = (function.binary.clone(), self.positions.add());
                    tokio::spawn(async move {
                        world.read_shard(&function, &mapping, shard, &position).await;
                    });
                }
            }
        }
    }

    async fn read_shard(
        self: &Arc<Self>,
        function: &str,
        mapping: &Mapping,
        shard: u64,
        position: &AtomicUsize,
    ) {
        loop {
            let changed = self.history.changed.notified();
            let start = position.load(Relaxed);
            if start == self.history.len() {
                changed.await;
                continue;
            }
            // Batches of any size, sometimes after a while.
            let is_delayed = self.faults.strike(Mishap::Delayed, 4, &self.chance);
            let most = if is_delayed { DAY / 4 } else { SECOND * 4 };
            tokio::time::sleep(self.chance.time(Duration::from_millis(5), most)).await;
            let changes = self.history.since(start);
            let taken = 1 + usize::try_from(self.chance.below(60)).unwrap_or(0);
            let taken = taken.min(changes.len());
            let is_wanted =
                |change: &&Arc<Change>| shard_of(change) == shard && mapping.wants(&change.record);
            let records: Vec<Value> = changes[..taken]
                .iter()
                .filter(is_wanted)
                .map(|change| change.record.clone())
                .collect();
            if !records.is_empty() {
                self.take_batch(function, &records).await;
                if self.faults.strike(Mishap::Repeated, 30, &self.chance) {
                    self.take_batch(function, &records).await;
                }
            }
            position.store(start + taken, Relaxed);
        }
    }

    /// Passes records to a function until it has handled all of them. A batch that fails is split.
    async fn take_batch(self: &Arc<Self>, function: &str, records: &[Value]) {
        let mut pieces = vec![records.to_vec()];
        let mut wait = Duration::from_millis(100);
        while let Some(mut piece) = pieces.pop() {
            let cause = format!("{} records from {}", piece.len(), sequence(&piece[0]));
            match self.invoke(function, &cause, json!({ "Records": piece })).await {
                Ok(answer) => {
                    let failed = answer["batchItemFailures"][0]["itemIdentifier"].as_str();
                    let Some(failed) = failed.filter(|_| !self.swallows_batch_failures()) else {
                        continue;
                    };
                    let at = piece.iter().position(|record| sequence(record) == failed);
                    pieces.push(piece.split_off(at.unwrap_or(0)));
                }
                Err(_) if piece.len() > 1 => {
                    let half = piece.split_off(piece.len() / 2);
                    pieces.extend([half, piece]);
                    continue;
                }
                Err(_) => pieces.push(piece),
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(MINUTE);
        }
    }
}

/// Returns the sequence number of a record.
pub(crate) fn sequence(record: &Value) -> &str {
    record["dynamodb"]["SequenceNumber"].as_str().unwrap_or_default()
}

fn shard_of(change: &Change) -> u64 {
    let mut hasher = DefaultHasher::new();
    change.key.0.hash(&mut hasher);
    hasher.finish() % SHARDS
}
