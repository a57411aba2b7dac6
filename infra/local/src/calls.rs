//! A log of AWS calls, and switches that make calls fail.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    fs::File,
    io::Write,
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::http::HeaderMap;
use serde_json::json;

use crate::{permissions, units::Units};

/// Maximum number of calls in the log.
const REMEMBERED: usize = 100_000;

/// A call of an AWS action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The binary of the function that made the call; `local` for other callers.
    pub caller: String,
    /// The service, such as `DynamoDB`.
    pub service: &'static str,
    /// The action, such as `GetItem`.
    pub action: String,
}

/// How an action fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Every call is rejected.
    Reject,
    /// This number of calls are rejected; later calls succeed.
    RejectNext(u32),
    /// This number of calls succeed; later calls are rejected.
    RejectAfter(u32),
    /// This number of calls take effect, but their callers receive an error.
    LoseAnswers(u32),
}

/// How to answer a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Answer,
    Reject,
    /// Rejected with this code.
    RejectWith(&'static str),
    LoseAnswer,
    /// Never executed or answered.
    Unanswered,
}

/// The log and the switches.
#[derive(Debug, Default)]
pub struct Calls(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    log: VecDeque<Call>,
    faults: HashMap<String, Fault>,
    refusals: Vec<Rejection>,
    /// Number of calls still answered before everything freezes.
    answered: Option<usize>,
    frozen: bool,
    record: Option<Record>,
    /// The cost of each function's calls, if it is measured.
    costs: Option<HashMap<String, Units>>,
}

/// A rule that rejects requests of an action with a code.
#[derive(Debug)]
struct Rejection {
    action: String,
    /// Text that the rejected requests contain.
    part: String,
    code: &'static str,
}

/// A file with one line for each permission that a function has used.
#[derive(Debug)]
struct Record {
    file: File,
    written: HashSet<String>,
}

impl Calls {
    /// Returns the calls since the start or the last [`Calls::clear`], oldest first.
    #[must_use]
    pub fn all(&self) -> Vec<Call> {
        self.lock().log.iter().cloned().collect()
    }

    /// Returns the actions called by `caller`, oldest first.
    #[must_use]
    pub fn by(&self, caller: &str) -> Vec<String> {
        let calls = self.all().into_iter();
        calls.filter(|call| call.caller == caller).map(|call| call.action).collect()
    }

    /// Returns how often `action` was called, by any caller.
    #[must_use]
    pub fn count(&self, action: &str) -> usize {
        self.lock().log.iter().filter(|call| call.action == action).count()
    }

    /// Clears the log.
    pub fn clear(&self) {
        self.lock().log.clear();
    }

    /// Starts measuring the cost of calls, which doubles their duration.
    pub fn meter(&self) {
        self.lock().costs.get_or_insert_default();
    }

    /// Returns the cost of the calls of these functions since [`Calls::meter`].
    #[must_use]
    pub fn cost(&self, callers: &[&str]) -> Units {
        let mut all = Units::default();
        let inner = self.lock();
        for caller in callers {
            all += inner
                .costs
                .as_ref()
                .and_then(|costs| costs.get(*caller))
                .copied()
                .unwrap_or_default();
        }
        all
    }

    /// Makes `action` fail from now on.
    pub fn fail(&self, action: &str, fault: Fault) {
        self.lock().faults.insert(action.to_owned(), fault);
    }

    /// Rejects every call of `action` until it is restored.
    pub fn reject(&self, action: &str) {
        self.fail(action, Fault::Reject);
    }

    /// Rejects every call of `action` whose request contains `part`, with the error `code`, until
    /// the action is restored. `PutEventsEntry` stands for a single entry of `PutEvents`.
    pub fn reject_with(&self, action: &str, part: &str, code: &'static str) {
        let (action, part) = (action.to_owned(), part.to_owned());
        self.lock().refusals.push(Rejection { action, part, code });
    }

    /// Makes `action` succeed again.
    pub fn restore(&self, action: &str) {
        let mut inner = self.lock();
        inner.faults.remove(action);
        inner.refusals.retain(|refusal| refusal.action != action);
    }

    /// Returns the code with which to reject a `request` of `action`, if any.
    pub(crate) fn refusal(&self, action: &str, request: &[u8]) -> Option<&'static str> {
        self.lock().refusal(action, request)
    }

    /// Answers this number of further calls, and then none, to simulate a crash between two calls.
    pub fn freeze_after(&self, calls: usize) {
        self.lock().answered = Some(calls);
    }

    /// Returns whether a call was left unanswered since [`Calls::freeze_after`].
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.lock().frozen
    }

    /// Writes the permissions that calls need to `file` from now on, each once.
    pub(crate) fn record_to(&self, file: File) {
        self.lock().record = Some(Record { file, written: HashSet::new() });
    }

    /// Logs a call, and returns how to answer it.
    pub(crate) fn record(
        &self,
        headers: &HeaderMap,
        service: &'static str,
        action: &str,
        request: &[u8],
    ) -> Verdict {
        let mut inner = self.lock();
        match &mut inner.answered {
            Some(0) => {
                inner.frozen = true;
                return Verdict::Unanswered;
            }
            Some(left) => *left -= 1,
            None => {}
        }
        if inner.log.len() == REMEMBERED {
            inner.log.pop_front();
        }
        let caller = caller(headers);
        if let Some(record) = &mut inner.record {
            record.add(&caller, service, action, request);
        }
        inner.log.push_back(Call { caller, service, action: action.to_owned() });
        if let Some(code) = inner.refusal(action, request) {
            return Verdict::RejectWith(code);
        }
        inner.faults.get_mut(action).map_or(Verdict::Answer, Fault::next)
    }

    /// Returns whether the cost of calls is measured.
    pub(crate) fn are_metered(&self) -> bool {
        self.lock().costs.is_some()
    }

    pub(crate) fn charge(&self, headers: &HeaderMap, cost: Units) {
        if let Some(costs) = &mut self.lock().costs {
            *costs.entry(caller(headers)).or_default() += cost;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn refusal(&self, action: &str, request: &[u8]) -> Option<&'static str> {
        let mut refusals =
            self.refusals.iter().filter(|refusal| refusal.action == action).peekable();
        refusals.peek()?;
        let request = String::from_utf8_lossy(request);
        refusals.find(|refusal| request.contains(&refusal.part)).map(|refusal| refusal.code)
    }
}

impl Record {
    fn add(&mut self, caller: &str, service: &str, action: &str, request: &[u8]) {
        let request = serde_json::from_slice(request).unwrap_or_default();
        for (action, resource) in permissions::of(service, action, &request) {
            let line = json!({ "caller": caller, "action": action, "resource": resource });
            let line = format!("{line}\n");
            // If a line cannot be written, the reader of the file reports it as missing.
            if !self.written.contains(&line) && self.file.write_all(line.as_bytes()).is_ok() {
                self.written.insert(line);
            }
        }
    }
}

impl Fault {
    fn next(&mut self) -> Verdict {
        let (Self::RejectNext(left) | Self::RejectAfter(left) | Self::LoseAnswers(left)) = self
        else {
            return Verdict::Reject;
        };
        let was_left = *left > 0;
        *left = left.saturating_sub(1);
        match self {
            Self::RejectNext(_) if was_left => Verdict::Reject,
            Self::RejectAfter(_) if !was_left => Verdict::Reject,
            Self::LoseAnswers(_) if was_left => Verdict::LoseAnswer,
            _ => Verdict::Answer,
        }
    }
}

/// Returns the caller from the access key ID in the signature: each function has its own.
fn caller(headers: &HeaderMap) -> String {
    let signature = headers.get("authorization").and_then(|value| value.to_str().ok());
    let key = signature.and_then(|text| text.split_once("Credential=")).map(|(_, rest)| rest);
    key.and_then(|key| key.split('/').next()).unwrap_or("local").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_count_down() {
        let calls = Calls::default();
        let next = |action| calls.record(&HeaderMap::new(), "Events", action, b"{}");
        calls.fail("A", Fault::RejectNext(1));
        calls.fail("B", Fault::RejectAfter(1));
        calls.fail("C", Fault::LoseAnswers(1));
        assert_eq!([next("A"), next("A")], [Verdict::Reject, Verdict::Answer]);
        assert_eq!([next("B"), next("B")], [Verdict::Answer, Verdict::Reject]);
        assert_eq!([next("C"), next("C")], [Verdict::LoseAnswer, Verdict::Answer]);
        assert_eq!(next("D"), Verdict::Answer);
    }

    #[test]
    fn requests_are_rejected_by_their_content() {
        let calls = Calls::default();
        calls.reject_with("A", "acme", "MessageRejected");
        let record = |action, request| calls.record(&HeaderMap::new(), "SES", action, request);
        assert_eq!(record("A", b"{\"to\":\"acme\"}"), Verdict::RejectWith("MessageRejected"));
        assert_eq!([record("A", b"{}"), record("B", b"acme")], [Verdict::Answer; 2]);
        calls.restore("A");
        assert_eq!(record("A", b"acme"), Verdict::Answer);
    }
}
