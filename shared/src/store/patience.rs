use std::{future::Future, time::Duration};

use ring::rand::{SecureRandom, SystemRandom};

use crate::{Error, Result};

/// How often is tried what meets others on the same item.
pub(super) const TRIES: u32 = 8;

/// Reads and decides again, after a random wait, while what was read changes before the write.
///
/// # Errors
///
/// What `decide` fails with; [`Error::Busy`] where the item kept changing.
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

/// Waits for a random time of up to 20, 40, 80 … milliseconds, but not after the last try.
pub(super) async fn wait(attempt: u32) {
    if attempt + 1 == TRIES {
        return;
    }
    let mut random = [0; 2];
    // Without randomness the wait is the longest one, which is right as well.
    let filled = SystemRandom::new().fill(&mut random);
    let share = filled.map_or(1.0, |()| f64::from(u16::from_be_bytes(random)) / 65535.0);
    tokio::time::sleep(Duration::from_millis(20 << attempt).mul_f64(share)).await;
}
