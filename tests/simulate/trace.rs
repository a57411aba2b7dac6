use std::{collections::VecDeque, fmt::Display, sync::Mutex};

use crate::{locked, virtual_time};

/// Number of steps that a report shows.
const SHOWN: usize = 60;

/// The steps of a world: a hash of all, and the text of the last ones.
#[derive(Debug, Default)]
pub(crate) struct Trace(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    hash: u64,
    steps: u64,
    last: VecDeque<String>,
}

impl Trace {
    /// Adds a step. `content` is hashed, but not shown.
    pub(crate) fn add(&self, step: impl Display, content: &[u8]) {
        let millis = virtual_time::elapsed_ms();
        let (seconds, rest) = (millis / 1000, millis % 1000);
        let text = format!("{seconds:>9}.{rest:03} {step}");
        let mut inner = locked(&self.0);
        inner.hash =
            [text.as_bytes(), content].iter().fold(inner.hash, |hash, part| fnv(hash, part));
        inner.steps += 1;
        if inner.last.len() == SHOWN {
            inner.last.pop_front();
        }
        inner.last.push_back(text);
    }

    /// Returns the hash and the number of all steps.
    pub(crate) fn sum(&self) -> (u64, u64) {
        let inner = locked(&self.0);
        (inner.hash, inner.steps)
    }

    /// Returns the last steps, oldest first.
    pub(crate) fn last(&self) -> Vec<String> {
        locked(&self.0).last.iter().cloned().collect()
    }
}

/// FNV-1a (<https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>), which needs no key.
fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
    bytes.iter().fold(hash ^ 0xcbf2_9ce4_8422_2325, step)
}
