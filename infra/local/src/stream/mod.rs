//! The event source mapping: reads a table's stream and invokes a function with batches.
//!
//! A batch is retried until the function succeeds, all retries are used, or its records are too
//! old. Only then does reading continue. Records that are given up become a dead letter.

mod batch;

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::sync::{Notify, RwLock};

use crate::{
    Error, Result, functions::Functions, state::State, stop::Stop, table::Streams,
    template::Mapping,
};
use batch::Batch;

/// How long to wait without a notification. Expired items are deleted without one.
const POLL: Duration = Duration::from_millis(500);

/// Reads one stream for one function.
pub(crate) struct Reader {
    pub(crate) mapping: Mapping,
    /// The binary of the receiving function.
    pub(crate) function: String,
    pub(crate) streams: Arc<Streams>,
    pub(crate) state: Arc<State>,
    pub(crate) functions: Arc<Functions>,
    /// Notified after each write to a table.
    pub(crate) written: Arc<Notify>,
    /// Locked while the streams are held.
    pub(crate) hold: Arc<RwLock<()>>,
}

impl Reader {
    /// Reads until the stop. Records that were not handled are read again after the next start.
    pub(crate) async fn run(self, stop: Stop) {
        let stopped = stop.wait();
        tokio::select! {
            () = stopped => {}
            () = self.read_on() => {}
        }
    }

    async fn read_on(&self) {
        loop {
            let notified = self.written.notified();
            let turn = self.hold.read().await;
            let read = self.read().await;
            drop(turn);
            match read {
                Ok(true) => continue,
                Ok(false) => {}
                Err(cause) => tracing::error!(%cause, "the stream cannot be read"),
            }
            tokio::select! {
                () = notified => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// Reads one batch. Returns whether there may be more records.
    async fn read(&self) -> Result<bool> {
        let doing = || Error::doing("reading the stream");
        let name = self.name();
        let Some(after) = self.state.checkpoint(&name).map_err(doing())? else {
            let from_start = self.mapping.from_the_start;
            let start =
                if from_start { String::new() } else { self.streams.last(&self.mapping)? };
            self.state.set_checkpoint(&name, &start).map_err(doing())?;
            return Ok(true);
        };
        let read = self.streams.after(&after, &self.mapping)?;
        let Some(last) = read.last().map(batch::sequence) else { return Ok(false) };
        let wanted: Vec<Value> =
            read.into_iter().filter(|record| self.mapping.wants(record)).collect();
        if !wanted.is_empty() {
            Batch::new(self, wanted).take().await.map_err(doing())?;
        }
        self.state.set_checkpoint(&name, &last).map_err(doing())?;
        Ok(true)
    }

    /// Returns the name that the stream's position is stored under.
    fn name(&self) -> String {
        self.mapping.name(&self.function)
    }
}
