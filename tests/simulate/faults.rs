use std::{collections::BTreeMap, fmt::Display, sync::Mutex};

use crate::{cache, chance::Chance, locked, virtual_time};

/// A fault of a call of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::Display)]
#[strum(serialize_all = "kebab-case")]
pub(crate) enum Fault {
    /// The function stops before the call.
    CrashBefore,
    /// The function stops after the call has had its effect.
    CrashAfter,
    /// The call does not arrive.
    Unsent,
    /// The call takes effect, but its answer is lost.
    AnswerLost,
    /// The call takes effect when its caller no longer waits.
    Late,
    /// The service refuses the call because there are too many.
    Throttled,
    /// The service fails.
    ServerError,
    /// Another transaction writes the same items.
    Conflict,
    /// Some entries of an otherwise successful call are refused.
    Partial,
}

/// Other things that go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::Display)]
#[strum(serialize_all = "kebab-case")]
pub(crate) enum Mishap {
    /// An event, a batch, a report or a request is delivered twice.
    Repeated,
    /// A delivery waits for minutes to hours.
    Delayed,
    /// The clock of a function is off.
    Skewed,
    /// A person clicks twice.
    DoubleClick,
    /// A person gives up waiting, and asks again.
    Impatience,
    /// A build is silent, late, contradicts itself or fails without a report.
    Build,
    /// A function does not run when it is due.
    Missed,
    /// The keys were rotated.
    Rotated,
    /// A service fails for a while.
    Outage,
    /// The cache starts anew.
    Restarted,
}

/// The faults of a world: whether there are any now, and how many there were.
#[derive(Debug)]
pub(crate) struct Faults {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    are_on: bool,
    /// The service that fails now.
    down: Option<&'static str>,
    counts: BTreeMap<String, u64>,
    /// When the cache may last have missed a write, in milliseconds since the beginning.
    missed: u64,
}

/// The faults of one call, by how often they occur in 10,000 calls.
const OF_CALLS: [(Fault, u64); 9] = [
    (Fault::Throttled, 90),
    (Fault::ServerError, 50),
    (Fault::Unsent, 40),
    (Fault::AnswerLost, 70),
    (Fault::Late, 30),
    (Fault::CrashBefore, 35),
    (Fault::CrashAfter, 45),
    (Fault::Conflict, 250),
    (Fault::Partial, 600),
];

/// The faults of one command of the cache, likewise.
const OF_CACHE: [(Fault, u64); 3] =
    [(Fault::Unsent, 40), (Fault::AnswerLost, 40), (Fault::Late, 40)];

impl Faults {
    pub(crate) fn new() -> Self {
        let (down, counts) = (None, BTreeMap::new());
        Self { state: Mutex::new(State { are_on: true, down, counts, missed: 0 }) }
    }

    /// Ends all faults.
    pub(crate) fn end(&self) {
        locked(&self.state).are_on = false;
    }

    pub(crate) fn are_on(&self) -> bool {
        locked(&self.state).are_on
    }

    /// Begins an outage of a service, or ends it.
    pub(crate) fn set_down(&self, service: Option<&'static str>) {
        if service.is_some() && self.are_on() {
            self.count(Mishap::Outage);
        }
        let mut state = locked(&self.state);
        if [service, state.down].contains(&Some(cache::SERVICE)) {
            state.missed = virtual_time::elapsed_ms();
        }
        state.down = service;
    }

    /// Returns whether a service is down.
    pub(crate) fn is_down(&self, service: &str) -> bool {
        let state = locked(&self.state);
        state.are_on && state.down == Some(service)
    }

    /// Records that the cache may miss a write, because its writer has stopped or waits for an answer.
    pub(crate) fn note_missed_write(&self) {
        locked(&self.state).missed = virtual_time::elapsed_ms();
    }

    /// Returns whether the cache may have missed a write since `time`, in milliseconds since the beginning.
    pub(crate) fn may_have_hidden_a_write_since(&self, time: u64) -> bool {
        locked(&self.state).missed >= time
    }

    /// Returns the fault of a call of `action`, if it has one.
    pub(crate) fn of_call(&self, service: &str, action: &str, chance: &Chance) -> Option<Fault> {
        if !self.are_on() {
            return None;
        }
        if self.is_down(service) {
            return Some(*chance.one(&[Fault::ServerError, Fault::Throttled, Fault::Unsent]));
        }
        let is_possible = |fault: Fault| match fault {
            Fault::Conflict => action == "TransactWriteItems",
            Fault::Partial => action == "PutEvents",
            _ => true,
        };
        let fault = drawn(&OF_CALLS, chance).filter(|fault| is_possible(*fault))?;
        self.count(fault);
        Some(fault)
    }

    /// Returns the fault of a command of the cache, if it has one.
    pub(crate) fn of_cache(&self, chance: &Chance) -> Option<Fault> {
        if !self.are_on() {
            return None;
        }
        let fault = drawn(&OF_CACHE, chance)?;
        self.count(fault);
        self.note_missed_write();
        Some(fault)
    }

    /// Returns whether `mishap` occurs, which it does in `per_mille` of a thousand cases.
    pub(crate) fn strike(&self, mishap: Mishap, per_mille: u32, chance: &Chance) -> bool {
        let strikes = self.are_on() && chance.is(per_mille);
        if strikes {
            self.count(mishap);
        }
        strikes
    }

    /// Counts a fault.
    pub(crate) fn count(&self, fault: impl Copy + Display) {
        *locked(&self.state).counts.entry(fault.to_string()).or_default() += 1;
    }

    /// Returns how often each fault occurred.
    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        locked(&self.state).counts.clone()
    }
}

/// Draws one of `faults`, or none.
fn drawn(faults: &[(Fault, u64)], chance: &Chance) -> Option<Fault> {
    let mut drawn = chance.below(10_000);
    for (fault, often) in faults {
        match drawn.checked_sub(*often) {
            None => return Some(*fault),
            Some(rest) => drawn = rest,
        }
    }
    None
}
