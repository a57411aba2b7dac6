use schema::Timestamp;

/// The length of a rate limit window in seconds.
pub const RATE_WINDOW: i64 = 60;

/// The state of a client's rate limit for a route, including the current call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Maximum number of calls in a window.
    pub limit: u32,
    /// Remaining calls in the current window.
    pub remaining: u32,
    /// Seconds until the window ends and the limit resets.
    pub reset: i64,
    /// Seconds after which to retry, or `None` if this call is within the limit.
    pub retry_after: Option<i64>,
}

impl Quota {
    /// Returns the state after `calls` calls in the current window.
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
    fn calls_beyond_the_limit_are_refused_until_the_window_ends() {
        let now = crate::now();
        let (last, next) = (Quota::after(10, 10, now), Quota::after(11, 10, now));
        assert_eq!((last.remaining, last.retry_after), (0, None));
        assert_eq!((next.remaining, next.retry_after), (0, Some(next.reset)));
        assert!((1..=RATE_WINDOW).contains(&next.reset));
        assert_eq!(Quota::after(1, 10, now).remaining, 9);
    }

    #[test]
    fn a_window_is_a_minute_of_the_clock() {
        for (second, reset) in [(0, 60), (1, 59), (59, 1), (60, 60)] {
            let quota = Quota::after(1, 10, Timestamp::from_millis(second * 1000));
            assert_eq!(quota.reset, reset, "{second}");
        }
    }
}
