use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::RwLock;

use crate::{
    Error, Outcome, Result,
    functions::Functions,
    schedule,
    state::State,
    table::{self, Engine, Streams},
    template::Template,
};

/// The work in the background: streams, deliveries, pipelines, schedules, and the expiry of items.
#[derive(Debug)]
pub(crate) struct Background {
    pub(crate) engine: Engine,
    pub(crate) state: Arc<State>,
    pub(crate) template: Arc<Template>,
    pub(crate) functions: Arc<Functions>,
    /// The outcome of pipelines. Tests can change it.
    pub(crate) outcome: Arc<Mutex<Outcome>>,
    /// Locked while the streams are held.
    pub(crate) hold: Arc<RwLock<()>>,
    pub(crate) streams: Arc<Streams>,
}

impl Background {
    /// Deletes expired items. Returns their number.
    pub(crate) fn sweep(&self) -> Result<usize> {
        let now = lambda::now().seconds();
        self.template.tables.iter().map(|table| table::sweep(&self.engine, table, now)).sum()
    }

    /// Invokes every scheduled function.
    pub(crate) async fn run_schedules(&self) -> Result<(), String> {
        for function in &self.template.functions {
            for timer in &function.schedules {
                schedule::invoke(timer, &function.binary, &self.functions).await?;
            }
        }
        Ok(())
    }

    /// Waits until all work is done, at most until `end`.
    pub(crate) async fn settle(&self, end: Instant) -> Result<()> {
        while !self.is_settled()? && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Returns whether all work is done: streams read, events delivered, and pipelines ended
    /// (unless they are silent).
    pub(crate) fn is_settled(&self) -> Result<bool> {
        let doing = Error::doing("looking for pending work");
        let read = self.streams_read_up_to()?;
        let waits_for_pipelines = *self.outcome() != Outcome::Silent;
        let is_idle = self.state.is_idle(waits_for_pipelines).map_err(doing)?;
        // A delivery in between may have written to the table.
        Ok(read.is_some() && is_idle && self.streams_read_up_to()? == read)
    }

    /// Returns how far each stream is read. Returns `None` if one is not read to its end.
    fn streams_read_up_to(&self) -> Result<Option<Vec<String>>> {
        let mut all = Vec::new();
        for function in &self.template.functions {
            for mapping in &function.streams {
                let read = self.state.checkpoint(&mapping.name(&function.binary));
                let read = read.map_err(Error::doing("looking for pending work"))?;
                let Some(read) = read else { return Ok(None) };
                if !self.streams.after(&read, mapping)?.is_empty() {
                    return Ok(None);
                }
                all.push(read);
            }
        }
        Ok(Some(all))
    }

    pub(crate) fn outcome(&self) -> MutexGuard<'_, Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
