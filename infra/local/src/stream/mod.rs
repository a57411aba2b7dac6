//! The event source mapping: reads a table's stream and hands batches to a function.
//!
//! A batch is handed over until the function takes it, its retries are used up or its records are
//! too old; only then is the stream read on. What is given up is a dead letter.

mod batch;

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::sync::Notify;

use crate::{
    Error, Result,
    functions::Functions,
    state::State,
    stop::Stop,
    table::{Engine, Records},
    template::Mapping,
};
use batch::Batch;

/// How long to wait where nobody tells of a write: for what expires, which nobody calls for.
const POLL: Duration = Duration::from_millis(500);

/// Reads one stream for one function.
pub(crate) struct Reader {
    pub(crate) mapping: Mapping,
    /// The binary that gets the batches.
    pub(crate) function: String,
    pub(crate) region: String,
    pub(crate) engine: Engine,
    pub(crate) state: Arc<State>,
    pub(crate) functions: Arc<Functions>,
    /// Told after each write to a table.
    pub(crate) written: Arc<Notify>,
}

impl Reader {
    /// Reads until the stop. What is not taken then is read again at the next start.
    pub(crate) async fn run(self, stop: Stop) {
        let stopped = stop.wait();
        tokio::select! {
            () = stopped => {}
            () = self.read_on() => {}
        }
    }

    async fn read_on(&self) {
        let mut stream = None;
        loop {
            let told = self.written.notified();
            match self.read(&mut stream).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(cause) => {
                    tracing::error!(%cause, "the stream cannot be read");
                    stream = None;
                }
            }
            tokio::select! {
                () = told => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// Reads one batch of the stream, which is looked up where it is not known; whether there was any
    /// record.
    async fn read(&self, stream: &mut Option<Records>) -> Result<bool> {
        let doing = || Error::doing("reading the stream");
        let records = match stream {
            Some(records) => records,
            None => stream.insert(Records::of(&self.engine, &self.mapping.table)?),
        };
        let name = self.name();
        let Some(after) = self.state.checkpoint(&name).map_err(doing())? else {
            let start = if self.mapping.from_the_start { String::new() } else { records.last()? };
            self.state.set_checkpoint(&name, &start).map_err(doing())?;
            return Ok(true);
        };
        let read = records.after(&after, &self.mapping, &self.region)?;
        let Some(last) = read.last().map(batch::sequence) else { return Ok(false) };
        let wanted: Vec<Value> =
            read.into_iter().filter(|record| self.mapping.wants(record)).collect();
        if !wanted.is_empty() {
            Batch::new(self, wanted).take().await.map_err(doing())?;
        }
        self.state.set_checkpoint(&name, &last).map_err(doing())?;
        Ok(true)
    }

    /// Under which the stream's position is kept.
    fn name(&self) -> String {
        self.mapping.name(&self.function)
    }
}
