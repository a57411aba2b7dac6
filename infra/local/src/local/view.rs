use std::{sync::Arc, time::Duration};

use lambda::Env;
use serde_json::Value;
use tokio::sync::OwnedRwLockWriteGuard;

use super::Local;
use crate::{Calls, Outcome, Result, state::State, table, template::Template};

/// Access to the running product.
impl Local {
    /// Returns the URL of the HTTP API.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.environment.api_url
    }

    /// Returns the URL of the pages under `/_local`, which this process serves even if another
    /// serves the API.
    #[must_use]
    pub fn pages_url(&self) -> String {
        format!("{}/_local", self.environment.own_url)
    }

    /// Returns a token with every permission.
    #[must_use]
    pub fn operator_token(&self) -> String {
        self.access.operator_token()
    }

    /// Returns the combined variables of all functions, with endpoints and credentials.
    #[must_use]
    pub fn env(&self) -> Env {
        self.environment.of_all(&self.template).into_iter().collect()
    }

    /// Returns the variables of one function, by its binary.
    #[must_use]
    pub fn env_of(&self, binary: &str) -> Option<Env> {
        let mut functions = self.template.functions.iter();
        let function = functions.find(|function| function.binary == binary)?;
        Some(self.environment.of(function))
    }

    /// Returns the template.
    #[must_use]
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// Returns the state: emails, events, secrets, executions and dead letters.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.opened.state
    }

    /// Returns the log of AWS calls, with the switches that make calls fail.
    #[must_use]
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// Returns every item of every table, in DynamoDB's JSON.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub fn items(&self) -> Result<Vec<Value>> {
        let tables = self.template.tables.iter();
        let items = tables.map(|table| table::items(&self.background.engine, &table.name));
        Ok(items.collect::<Result<Vec<_>>>()?.concat())
    }

    /// Puts `items`, in DynamoDB's JSON, into the template's first table. The stream does
    /// not report them.
    ///
    /// # Errors
    ///
    /// If one of them is not an item, or the database cannot be written.
    pub fn import(&self, items: Vec<Value>) -> Result<()> {
        let Some(table) = self.template.tables.first() else { return Ok(()) };
        table::import(&self.background.engine, &table.name, items)
    }

    /// Deletes expired items, as DynamoDB does within a few days. Returns their number.
    ///
    /// # Errors
    ///
    /// If the database cannot be written.
    pub fn sweep_expired(&self) -> Result<usize> {
        self.background.sweep()
    }

    /// Returns every record of the streams that `function` reads, in the format of its events,
    /// oldest first.
    ///
    /// # Errors
    ///
    /// If a stream cannot be read.
    pub fn records(&self, function: &str) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        let reads = self.template.functions.iter().filter(|reader| reader.binary == function);
        for mapping in reads.flat_map(|reader| &reader.streams) {
            let mut after = String::new();
            loop {
                let read = self.background.streams.after(&after, mapping)?;
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

    /// Holds the streams until the result is dropped: their functions get no more records.
    pub async fn hold_streams(&self) -> OwnedRwLockWriteGuard<()> {
        Arc::clone(&self.background.hold).write_owned().await
    }

    /// Invokes a function with `payload`, as Lambda does.
    ///
    /// # Errors
    ///
    /// The failure of the function.
    pub async fn invoke(&self, function: &str, payload: Value) -> Result<Value, String> {
        self.background.functions.invoke(function, payload).await
    }

    /// Invokes every scheduled function now.
    ///
    /// # Errors
    ///
    /// The failure of the first function that fails.
    pub async fn run_schedules(&self) -> Result<(), String> {
        self.background.run_schedules().await
    }

    /// Lets `time` pass: schedules run for each day, expired items are deleted, and the operator
    /// token is renewed. The clock is that of the whole process.
    ///
    /// # Errors
    ///
    /// If a scheduled function fails, or the database or the state cannot be used.
    pub async fn advance(&self, time: Duration) -> Result<()> {
        self.clock.advance(time).await.map(drop)
    }

    /// Moves the clock only, as if nothing had run meanwhile.
    ///
    /// # Errors
    ///
    /// If the state cannot be written.
    pub fn skip(&self, time: Duration) -> Result<()> {
        self.clock.skip(time)
    }

    /// Signs a new operator token, as after a move of the clock.
    ///
    /// # Errors
    ///
    /// If the keys or the file with the variables cannot be used.
    pub async fn renew_operator_token(&self) -> Result<()> {
        self.access.renew().await
    }

    /// Changes the outcome of pipelines from now on.
    pub fn end_pipelines_with(&self, outcome: Outcome) {
        *self.background.outcome() = outcome;
        self.opened.state.execution.notify_one();
    }

    /// Returns whether all work is done: streams read, events delivered, and pipelines ended
    /// (unless they are silent).
    ///
    /// # Errors
    ///
    /// If the database or the state cannot be read.
    pub fn is_settled(&self) -> Result<bool> {
        self.background.is_settled()
    }
}
