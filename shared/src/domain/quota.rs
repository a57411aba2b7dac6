use super::Timestamp;

/// The length of a window of the rate limit, in seconds (CONTRACT §9).
pub const RATE_WINDOW: i64 = 60;

/// Where a client stands with the rate limit of a route, this call included (CONTRACT §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Calls in a window.
    pub limit: u32,
    /// Calls that are left.
    pub remaining: u32,
    /// Seconds until all are left again.
    pub reset: i64,
    /// Seconds after which to try again; `None` where this call is within the limit.
    pub retry_after: Option<i64>,
}

impl Quota {
    /// After `calls` in the window that `now` is in.
    #[must_use]
    pub fn after(calls: u32, limit: u32, now: Timestamp) -> Self {
        let reset = RATE_WINDOW - now.seconds().rem_euclid(RATE_WINDOW);
        let retry_after = (calls > limit).then_some(reset);
        Self { limit, remaining: limit.saturating_sub(calls), reset, retry_after }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_call_within_the_limit_passes_and_the_next_waits_for_the_window() {
        let now = crate::now();
        let (last, next) = (Quota::after(10, 10, now), Quota::after(11, 10, now));
        assert_eq!((last.remaining, last.retry_after), (0, None));
        assert_eq!((next.remaining, next.retry_after), (0, Some(next.reset)));
        assert!((1..=RATE_WINDOW).contains(&next.reset));
        assert_eq!(Quota::after(1, 10, now).remaining, 9);
    }
}
