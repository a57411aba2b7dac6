//! The clock of this process: the system's, which only the local run moves ahead.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::Timestamp;

/// How far the clock is ahead of the system's, in milliseconds.
static AHEAD: AtomicU64 = AtomicU64::new(0);

/// Returns the current time. Callers pass it to the rules, which never read a clock.
#[must_use]
pub fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    let system = Timestamp::from(jiff::Timestamp::now());
    system + ahead()
}

/// Returns how far the clock is ahead of the system's.
#[must_use]
pub fn ahead() -> Duration {
    Duration::from_millis(AHEAD.load(Ordering::Relaxed))
}

/// Moves the clock until it is `ahead` of the system's. It never goes back.
pub fn move_ahead_to(ahead: Duration) {
    let millis = u64::try_from(ahead.as_millis()).unwrap_or(u64::MAX);
    AHEAD.fetch_max(millis, Ordering::Relaxed);
}
