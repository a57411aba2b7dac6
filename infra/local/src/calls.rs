//! A log of the calls that reach AWS, and switches that let some of them fail.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    fs::File,
    io::Write,
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::http::HeaderMap;
use serde_json::json;

use crate::{permissions, units::Units};

/// Calls that are remembered.
const REMEMBERED: usize = 100_000;

/// One call of an AWS action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The function that made it, by its binary; `local` for anybody else.
    pub caller: String,
    /// The service, as `DynamoDB`.
    pub service: &'static str,
    /// The action, as `GetItem`.
    pub action: String,
}

/// How an action fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Every call is refused.
    Refuse,
    /// So many calls are refused, later ones are not.
    RefuseNext(u32),
    /// So many calls go through, later ones are refused.
    RefuseAfter(u32),
    /// So many calls are carried out, but their callers get an error.
    LoseAnswers(u32),
}

/// What is to be done with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Answer,
    Refuse,
    /// Refused with this code.
    RefuseWith(&'static str),
    LoseAnswer,
    /// Neither carried out nor answered, ever.
    Never,
}

/// The log and the switches.
#[derive(Debug, Default)]
pub struct Calls(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    log: VecDeque<Call>,
    faults: HashMap<String, Fault>,
    refusals: Vec<Refusal>,
    /// So many calls are answered before everything freezes.
    answered: Option<usize>,
    frozen: bool,
    record: Option<Record>,
    /// What the calls of each function cost, where that is asked for.
    costs: Option<HashMap<String, Units>>,
}

/// Requests of an action that are refused with a code.
#[derive(Debug)]
struct Refusal {
    action: String,
    /// What is in such a request.
    part: String,
    code: &'static str,
}

/// A file that gets a line for each permission that a function needed.
#[derive(Debug)]
struct Record {
    file: File,
    written: HashSet<String>,
}

impl Calls {
    /// The calls since the start or the last [`Calls::forget`], oldest first.
    #[must_use]
    pub fn all(&self) -> Vec<Call> {
        self.lock().log.iter().cloned().collect()
    }

    /// The actions that `caller` called, oldest first.
    #[must_use]
    pub fn by(&self, caller: &str) -> Vec<String> {
        let calls = self.all().into_iter();
        calls.filter(|call| call.caller == caller).map(|call| call.action).collect()
    }

    /// How often `action` was called, by anybody.
    #[must_use]
    pub fn count(&self, action: &str) -> usize {
        self.lock().log.iter().filter(|call| call.action == action).count()
    }

    /// Empties the log.
    pub fn forget(&self) {
        self.lock().log.clear();
    }

    /// Says from now on what calls cost; it takes as long again to find out.
    pub fn meter(&self) {
        self.lock().costs.get_or_insert_default();
    }

    /// What the calls of these functions have cost since [`Calls::meter`].
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

    /// Lets `action` fail from now on.
    pub fn fail(&self, action: &str, fault: Fault) {
        self.lock().faults.insert(action.to_owned(), fault);
    }

    /// Refuses every call of `action` until it is healed.
    pub fn refuse(&self, action: &str) {
        self.fail(action, Fault::Refuse);
    }

    /// Refuses every call of `action` that has `part` in its request with the error `code`, until the
    /// action is healed. `PutEventsEntry` stands for a single entry of `PutEvents`.
    pub fn refuse_with(&self, action: &str, part: &str, code: &'static str) {
        let (action, part) = (action.to_owned(), part.to_owned());
        self.lock().refusals.push(Refusal { action, part, code });
    }

    /// Lets `action` work again.
    pub fn heal(&self, action: &str) {
        let mut inner = self.lock();
        inner.faults.remove(action);
        inner.refusals.retain(|refusal| refusal.action != action);
    }

    /// The code with which a `request` of `action` is refused, if it is.
    pub(crate) fn refusal(&self, action: &str, request: &[u8]) -> Option<&'static str> {
        self.lock().refusal(action, request)
    }

    /// Answers `calls` more calls of any action and then none: what follows is as if the process
    /// had been stopped between the two, which a test then does.
    pub fn freeze_after(&self, calls: usize) {
        self.lock().answered = Some(calls);
    }

    /// Whether a call was left unanswered since [`Calls::freeze_after`].
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.lock().frozen
    }

    /// Writes the permissions that calls need to `file` from now on, each of them once.
    pub(crate) fn record_to(&self, file: File) {
        self.lock().record = Some(Record { file, written: HashSet::new() });
    }

    /// Notes a call, and says what is to be done with it.
    pub(crate) fn note(
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
                return Verdict::Never;
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
            return Verdict::RefuseWith(code);
        }
        inner.faults.get_mut(action).map_or(Verdict::Answer, Fault::next)
    }

    /// Whether somebody wants to know what calls cost.
    pub(crate) fn are_metered(&self) -> bool {
        self.lock().costs.is_some()
    }

    /// Notes what a call cost.
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
            // A line that cannot be written is missed by who reads the file.
            if !self.written.contains(&line) && self.file.write_all(line.as_bytes()).is_ok() {
                self.written.insert(line);
            }
        }
    }
}

impl Fault {
    fn next(&mut self) -> Verdict {
        let (Self::RefuseNext(left) | Self::RefuseAfter(left) | Self::LoseAnswers(left)) = self
        else {
            return Verdict::Refuse;
        };
        let was_left = *left > 0;
        *left = left.saturating_sub(1);
        match self {
            Self::RefuseNext(_) if was_left => Verdict::Refuse,
            Self::RefuseAfter(_) if !was_left => Verdict::Refuse,
            Self::LoseAnswers(_) if was_left => Verdict::LoseAnswer,
            _ => Verdict::Answer,
        }
    }
}

/// Every function signs with an access key of its own, which the signature names in the clear.
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
        let next = |action| calls.note(&HeaderMap::new(), "Events", action, b"{}");
        calls.fail("A", Fault::RefuseNext(1));
        calls.fail("B", Fault::RefuseAfter(1));
        calls.fail("C", Fault::LoseAnswers(1));
        assert_eq!([next("A"), next("A")], [Verdict::Refuse, Verdict::Answer]);
        assert_eq!([next("B"), next("B")], [Verdict::Answer, Verdict::Refuse]);
        assert_eq!([next("C"), next("C")], [Verdict::LoseAnswer, Verdict::Answer]);
        assert_eq!(next("D"), Verdict::Answer);
    }

    #[test]
    fn requests_are_refused_by_what_is_in_them() {
        let calls = Calls::default();
        calls.refuse_with("A", "acme", "MessageRejected");
        let note = |action, request| calls.note(&HeaderMap::new(), "SES", action, request);
        assert_eq!(note("A", b"{\"to\":\"acme\"}"), Verdict::RefuseWith("MessageRejected"));
        assert_eq!([note("A", b"{}"), note("B", b"acme")], [Verdict::Answer; 2]);
        calls.heal("A");
        assert_eq!(note("A", b"acme"), Verdict::Answer);
    }
}
