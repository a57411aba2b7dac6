use local::Units;
use serde_json::Value;

use crate::{App, eventually};

/// Effects that tests observe outside the API.
impl App {
    /// Returns the number of DynamoDB calls that the HTTP functions made.
    pub fn table_calls(&self) -> usize {
        let calls = self.local().calls().all();
        let callers = self.http_callers();
        let is_http = |caller: &str| callers.contains(&caller);
        calls.iter().filter(|call| call.service == "DynamoDB" && is_http(&call.caller)).count()
    }

    /// Waits until an AWS action was called this number of times, by any caller.
    pub async fn wait_for_calls(&self, action: &str, times: usize) {
        let calls = self.local().calls();
        eventually(action, async || (calls.count(action) >= times).then_some(())).await;
    }

    /// Returns the capacity units that those calls consumed since [`local::Calls::meter`].
    pub fn table_cost(&self) -> Units {
        self.local().calls().cost(&self.http_callers())
    }

    /// Returns the functions behind the API, and `local` for the test's own calls.
    fn http_callers(&self) -> Vec<&str> {
        let functions = self.local().template().functions.iter();
        let http = functions.filter(|function| !function.routes.is_empty());
        http.map(|function| function.binary.as_str()).chain(["local"]).collect()
    }

    /// Writes stored items into the table, bypassing the functions and the stream.
    pub fn import(&self, items: Vec<Value>) {
        self.local().import(items).unwrap();
    }

    /// Returns every item of the table, as it is stored.
    pub fn items(&self) -> Vec<Value> {
        self.local().items().unwrap()
    }

    /// Returns every item of one kind.
    pub fn items_of(&self, kind: &str) -> Vec<Value> {
        self.items().into_iter().filter(|item| item["entity"]["S"] == kind).collect()
    }

    /// Returns every email, newest first.
    pub fn emails(&self) -> Vec<Value> {
        let mails = self.local().state().mails().unwrap();
        mails.iter().map(|mail| serde_json::to_value(mail).unwrap()).collect()
    }

    /// Returns the emails to an address, newest first.
    pub fn emails_to(&self, email: &str) -> Vec<Value> {
        self.emails().into_iter().filter(|mail| mail["to"][0] == email).collect()
    }

    /// Returns the envelopes of all events, newest first.
    pub fn events(&self) -> Vec<Value> {
        self.local().state().events().unwrap().into_iter().map(|event| event.envelope).collect()
    }

    /// Returns the events of a type without duplicates, as a deduplicating consumer sees them.
    pub fn events_of(&self, kind: &str) -> Vec<Value> {
        let mut events = self.events();
        events.retain(|event| event["detail-type"] == kind);
        events.sort_by_key(|event| event["detail"]["id"].to_string());
        events.dedup_by_key(|event| event["detail"]["id"].to_string());
        events
    }

    /// Returns the number of pipeline executions that were started.
    pub fn executions(&self) -> usize {
        self.local().state().executions().unwrap().len()
    }

    /// Returns the number of dead letters.
    pub fn dead_letters(&self) -> usize {
        self.local().state().dead_letters().unwrap().len()
    }

    /// Returns the names of the job secrets that still exist.
    pub fn job_secrets(&self) -> Vec<String> {
        let secrets = self.local().state().secrets().unwrap().into_iter();
        secrets.map(|secret| secret.name).filter(|name| name.contains("/jobs/")).collect()
    }
}
