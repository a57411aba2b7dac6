use std::sync::{MutexGuard, PoisonError};

use serde_json::Value;
use shared::Env;

use super::Local;
use crate::{
    Calls, Error, Outcome, Result, schedule,
    state::State,
    table::{self, Records},
    template::Template,
};

/// What a caller sees of it, and may do to it.
impl Local {
    /// Where the HTTP API is.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.environment.api_url
    }

    /// Where the pages under `/_local` are: the API's address, or our own where others serve it.
    #[must_use]
    pub fn pages_url(&self) -> String {
        format!("{}/_local", self.environment.own_url)
    }

    /// A token with every permission.
    #[must_use]
    pub fn operator_token(&self) -> &str {
        &self.operator_token
    }

    /// The variables of all functions together, with endpoints and credentials.
    #[must_use]
    pub fn env(&self) -> Env {
        self.environment.of_all(&self.template).into_iter().collect()
    }

    /// The variables of one function, by its binary.
    #[must_use]
    pub fn env_of(&self, binary: &str) -> Option<Env> {
        let mut functions = self.template.functions.iter();
        let function = functions.find(|function| function.binary == binary)?;
        Some(self.environment.of(function))
    }

    /// The template that is played.
    #[must_use]
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// Mails, events, secrets, executions and dead letters.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.opened.state
    }

    /// The calls that reached AWS, and switches that let some fail.
    #[must_use]
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// Every item of every table, in DynamoDB's JSON.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub fn items(&self) -> Result<Vec<Value>> {
        let tables = self.template.tables.iter();
        let items = tables.map(|table| table::items(&self.engine, &table.name));
        Ok(items.collect::<Result<Vec<_>>>()?.concat())
    }

    /// Puts `items`, in DynamoDB's JSON, into the template's first table at once; its stream does not
    /// tell of them.
    ///
    /// # Errors
    ///
    /// Where one of them is no item, or the database cannot be written.
    pub fn import(&self, items: Vec<Value>) -> Result<()> {
        let Some(table) = self.template.tables.first() else { return Ok(()) };
        table::import(&self.engine, &table.name, items)
    }

    /// Deletes what has expired now, as DynamoDB does within a few days.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub fn sweep_expired(&self) -> Result<usize> {
        let (tables, now) = (self.template.tables.iter(), shared::now().seconds());
        tables.map(|table| table::sweep(&self.engine, table, now)).sum()
    }

    /// Every record of the streams that `function` reads, as it is handed over, oldest first.
    ///
    /// # Errors
    ///
    /// Where a stream cannot be read.
    pub fn records(&self, function: &str) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        let reads = self.template.functions.iter().filter(|reader| reader.binary == function);
        for mapping in reads.flat_map(|reader| &reader.streams) {
            let records = Records::of(&self.engine, &mapping.table)?;
            let mut after = String::new();
            loop {
                let read = records.after(&after, mapping, &self.environment.region)?;
                let Some(last) = read.last() else { break };
                last["dynamodb"]["SequenceNumber"]
                    .as_str()
                    .unwrap_or_default()
                    .clone_into(&mut after);
                all.extend(read.into_iter().filter(|record| mapping.wants(record)));
            }
        }
        Ok(all)
    }

    /// Hands `payload` to a function, as Lambda would.
    ///
    /// # Errors
    ///
    /// What the function failed of.
    pub async fn invoke(&self, function: &str, payload: Value) -> Result<Value, String> {
        self.functions.invoke(function, payload).await
    }

    /// Invokes what schedules invoke, now.
    ///
    /// # Errors
    ///
    /// What the first function to fail failed of.
    pub async fn run_schedules(&self) -> Result<(), String> {
        for function in &self.template.functions {
            for timer in &function.schedules {
                schedule::invoke(timer, &function.binary, &self.functions).await?;
            }
        }
        Ok(())
    }

    /// Lets pipelines end in another way from now on.
    pub fn end_pipelines_with(&self, outcome: Outcome) {
        *self.outcome() = outcome;
        self.opened.state.execution.notify_one();
    }

    /// Whether nothing is under way: streams are read, events delivered, pipelines ended (unless
    /// they are silent).
    ///
    /// # Errors
    ///
    /// Where the database or the state cannot be read.
    pub fn is_settled(&self) -> Result<bool> {
        let doing = Error::doing("looking for what is under way");
        let read = self.streams_read_up_to()?;
        let waits_for_pipelines = *self.outcome() != Outcome::Silent;
        let is_idle = self.state().is_idle(waits_for_pipelines).map_err(doing)?;
        // What was delivered in between may have written something new.
        Ok(read.is_some() && is_idle && self.streams_read_up_to()? == read)
    }

    /// How far each stream is read; `None` where one is not read to its end.
    fn streams_read_up_to(&self) -> Result<Option<Vec<String>>> {
        let mut all = Vec::new();
        for function in &self.template.functions {
            for mapping in &function.streams {
                let read = self.state().checkpoint(&mapping.name(&function.binary));
                let read = read.map_err(Error::doing("looking for what is under way"))?;
                let Some(read) = read else { return Ok(None) };
                let records = Records::of(&self.engine, &mapping.table)?;
                if !records.after(&read, mapping, &self.environment.region)?.is_empty() {
                    return Ok(None);
                }
                all.push(read);
            }
        }
        Ok(Some(all))
    }

    fn outcome(&self) -> MutexGuard<'_, Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
