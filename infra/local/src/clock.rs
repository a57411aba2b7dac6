//! Moves the clock of this process, which all functions read.

use std::{
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{Span, tz::TimeZone};
use schema::{Timestamp, clock};
use tokio::sync::Mutex;

use crate::{
    Error, Result,
    local::{Access, Background},
};

/// The longest move at once, in days: ten years.
pub(crate) const MAX_DAYS: u64 = 3_660;

/// Schedules run after each of these parts, so that what happens in between has about its time.
const STEP: Duration = Duration::from_secs(24 * 3600);

/// How long a move waits for work that is under way.
const PATIENCE: Duration = Duration::from_secs(20);

/// Moves the clock of the process, see [`clock`], and all that depends on it.
#[derive(Debug)]
pub(crate) struct Clock {
    background: Arc<Background>,
    access: Arc<Access>,
    /// Held by the one who moves.
    turn: Mutex<()>,
}

type Advance<'c> = Pin<Box<dyn Future<Output = Result<Timestamp>> + Send + 'c>>;

impl Clock {
    pub(crate) fn new(background: Arc<Background>, access: Arc<Access>) -> Self {
        Self { background, access, turn: Mutex::default() }
    }

    /// Lets `time` pass, day by day: work under way ends, the clock moves, and schedules run.
    /// Expired items are deleted in the end.
    pub(crate) fn advance(&self, time: Duration) -> Advance<'_> {
        // With the whole type of the future in its router, rustc 1.95 fails in incremental builds.
        Box::pin(self.pass(time))
    }

    async fn pass(&self, time: Duration) -> Result<Timestamp> {
        let _turn = self.turn.lock().await;
        let (target, patience) = (clock::now() + time, Instant::now() + PATIENCE);
        loop {
            self.background.settle(patience).await?;
            let left = target.since(clock::now());
            if left.is_zero() {
                break;
            }
            self.skip(left.min(STEP))?;
            let ran = self.background.run_schedules().await;
            ran.map_err(Error::doing("running the schedules"))?;
        }
        self.background.sweep()?;
        self.background.settle(patience).await?;
        self.access.renew().await?;
        Ok(clock::now())
    }

    /// Moves the clock only, as if nothing had run meanwhile.
    pub(crate) fn skip(&self, time: Duration) -> Result<()> {
        clock::move_ahead_to(clock::ahead() + time);
        let kept = self.background.state.set_clock_ahead(clock::ahead());
        kept.map_err(Error::doing("keeping the clock"))
    }
}

/// Reads a time span such as `31d`, `1mo` or `P1Y`. Months and years are those after `now`, in UTC.
pub(crate) fn span(text: &str, now: Timestamp) -> Result<Duration, String> {
    let span: Span = text.parse().map_err(|cause: jiff::Error| cause.to_string())?;
    let start = jiff::Timestamp::from_millisecond(now.millis()).map_err(|it| it.to_string())?;
    let end = TimeZone::UTC.to_datetime(start).checked_add(span);
    let end = end.and_then(|end| TimeZone::UTC.to_timestamp(end)).map_err(|it| it.to_string())?;
    let span = Timestamp::from(end).since(now);
    let most = STEP * u32::try_from(MAX_DAYS).unwrap_or(u32::MAX);
    match span {
        span if span.is_zero() => Err("the clock only moves ahead".to_owned()),
        span if span > most => Err(format!("the clock moves at most {MAX_DAYS} days at once")),
        span => Ok(span),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_days_or_months_of_the_calendar() {
        let now: Timestamp = "2027-01-31T10:00:00Z".parse().unwrap();
        let days = |text: &str| span(text, now).map(|span| span.as_secs_f64() / 86_400.0);
        for (text, expected) in
            [("31d", 31.0), ("12h", 0.5), ("1mo", 28.0), ("1y", 365.0), ("P1M", 28.0)]
        {
            assert_eq!(days(text), Ok(expected), "{text}");
        }
        for text in ["", "x", "31", "0d", "-1d", "1d ago", "3661d", "11y", "99999999999999y"] {
            assert!(days(text).is_err(), "{text}");
        }
    }
}
