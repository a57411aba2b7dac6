//! Loops over many that no failure of one ends.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};

use crate::{Error, Result};

/// Does `work` for each of `items`, `at_once` at a time; one result for each, in their order.
///
/// None is begun after `time`, so that items which never answer leave the caller room to report. Those
/// that were not begun fail.
pub async fn each<I, F>(
    items: I,
    at_once: usize,
    time: Duration,
    work: impl Fn(I::Item) -> F,
) -> Vec<Result<()>>
where
    I: IntoIterator,
    F: Future<Output = Result<()>>,
{
    let start = Instant::now();
    let done = items.into_iter().map(|item| {
        let done = work(item);
        async move { if start.elapsed() > time { Err(late()) } else { done.await } }
    });
    // Collected first: the compiler cannot prove of a stream over closures that it may cross threads.
    let done: Vec<_> = done.collect();
    stream::iter(done).buffered(at_once).collect().await
}

/// Sums results up: a transient failure if there is one, since it is worth trying all again; else a
/// permanent one.
///
/// # Errors
///
/// The failure.
pub fn summary(results: impl IntoIterator<Item = Result<()>>) -> Result<()> {
    let failures = results.into_iter().filter_map(Result::err);
    failures.min_by_key(Error::is_permanent).map_or(Ok(()), Err)
}

fn late() -> Error {
    Error::Busy("those before it took too long")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failure_ends_nothing() {
        let work = async |number: u32| if number == 1 { Err(Error::Stale) } else { Ok(()) };
        for at_once in [1, 8] {
            let results = each([1, 2, 3], at_once, Duration::MAX, work).await;
            assert!(matches!(results[..], [Err(Error::Stale), Ok(()), Ok(())]), "{results:?}");
        }
    }

    #[test]
    fn what_is_worth_trying_again_is_told_first() {
        let permanent = || Err(Error::permanent("reading")("no"));
        assert!(summary([Ok(()), Ok(())]).is_ok());
        assert!(summary([Ok(()), permanent()]).unwrap_err().is_permanent());
        assert!(matches!(summary([permanent(), Err(Error::Stale)]), Err(Error::Stale)));
    }

    #[tokio::test]
    async fn none_is_begun_when_the_time_is_over() {
        let work = async |_| {
            tokio::time::sleep(Duration::from_millis(2)).await;
            Ok(())
        };
        let results = each([1, 2], 1, Duration::from_millis(1), work).await;
        assert!(matches!(results[..], [Ok(()), Err(Error::Busy(_))]), "{results:?}");
    }
}
