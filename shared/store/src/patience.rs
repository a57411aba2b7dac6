use std::{future::Future, time::Duration};

use ring::rand::{SecureRandom, SystemRandom};

use domain::{Error, Result};

/// Maximum number of attempts on a write conflict.
pub(super) const TRIES: u32 = 8;

/// Runs `decide` again, after a random wait, while it fails with [`Error::Stale`]: the item has
/// changed between the read and the write.
///
/// # Errors
///
/// Any other error of `decide`; [`Error::Busy`] if all attempts fail with [`Error::Stale`].
pub async fn deciding_again<T, F>(mut decide: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    for attempt in 0..TRIES {
        let decided = decide().await;
        if !matches!(decided, Err(Error::Stale)) {
            return decided;
        }
        wait(attempt).await;
    }
    Err(Error::Busy("an item kept changing"))
}

/// Waits for a random time of up to 20, 40, 80 … milliseconds. Does not wait after the last
/// attempt.
pub(super) async fn wait(attempt: u32) {
    if attempt + 1 == TRIES {
        return;
    }
    let mut random = [0; 2];
    // Without randomness, waiting for the maximum is correct as well.
    let filled = SystemRandom::new().fill(&mut random);
    let share = filled.map_or(1.0, |()| f64::from(u16::from_be_bytes(random)) / 65535.0);
    tokio::time::sleep(Duration::from_millis(20 << attempt).mul_f64(share)).await;
}
