use std::{future::Future, time::Duration};

use domain::{Error, Result};

/// Maximum number of attempts on a write conflict.
pub(crate) const MAX_ATTEMPTS: u32 = 8;

/// Runs `decide` again, after a random wait, while it fails with [`Error::Stale`]: the item has
/// changed between the read and the write.
///
/// # Errors
///
/// Any other error of `decide`; [`Error::Busy`] if all attempts fail with [`Error::Stale`].
pub async fn retry_if_stale<T, F>(mut decide: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    for attempt in 0..MAX_ATTEMPTS {
        let decided = decide().await;
        if !matches!(decided, Err(Error::Stale)) {
            return decided;
        }
        wait(attempt).await;
    }
    Err(Error::Busy("an item kept changing"))
}

/// Histogram for a random time of up to 20, 40, 80 … milliseconds. Does not wait after the last
/// attempt.
pub(crate) async fn wait(attempt: u32) {
    if attempt + 1 == MAX_ATTEMPTS {
        return;
    }
    let longest = Duration::from_millis(20 << attempt);
    tokio::time::sleep(longest.mul_f64(fastrand::f64())).await;
}
