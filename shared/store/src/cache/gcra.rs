use super::Cache;
use domain::{Quota, RATE_WINDOW};

/// Length of the rate limit window, in microseconds.
const WINDOW: i64 = RATE_WINDOW * 1_000_000;

impl Cache {
    /// Counts a call of `route` from `address`, limited to `limit` calls at once and in any minute.
    /// Returns `None` if the cache does not respond.
    pub(crate) async fn count_call(&self, route: &str, address: &str, limit: u32) -> Option<Quota> {
        let mut counted = self.0.count.key(self.name(format_args!("rate:{route}:{address}")));
        counted.arg(interval(limit)).arg(limit);
        let counted = &counted;
        let answer = self.0.connection.run(|connected| async move {
            let mut redis = connected.redis;
            counted.invoke_async(&mut redis).await
        });
        answer.await.map(|answer| quota(limit, answer))
    }
}

/// Returns the interval after which one more of `limit` calls is available, in microseconds.
fn interval(limit: u32) -> i64 {
    (WINDOW / i64::from(limit)).max(1)
}

/// Converts the script's answer to whole seconds, rounded up.
fn quota(limit: u32, (remaining, reset, retry): (u32, i64, i64)) -> Quota {
    let seconds = |micros: i64| (micros + 999_999).div_euclid(1_000_000);
    let retry_after = (retry > 0).then(|| seconds(retry));
    Quota { limit, remaining, reset: seconds(reset), retry_after }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_a_share_of_the_window() {
        assert_eq!([1, 7, 30, 60_000].map(interval), [60_000_000, 8_571_428, 2_000_000, 1000]);
        assert_eq!(interval(u32::MAX), 1);
    }

    #[test]
    fn seconds_are_rounded_up() {
        let passed = Quota { limit: 30, remaining: 29, reset: 2, retry_after: None };
        assert_eq!(quota(30, (29, 2_000_000, 0)), passed);
        let refused = Quota { limit: 30, remaining: 0, reset: 60, retry_after: Some(2) };
        assert_eq!(quota(30, (0, 59_900_000, 1_000_001)), refused);
    }
}
