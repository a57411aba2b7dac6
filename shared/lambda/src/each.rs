//! Loops that continue after a failure.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};

use domain::{Error, Result};

/// Runs `work` for each of `items`, `at_once` at a time. Returns the results in the order of the
/// items.
///
/// No work is started after `time`, so that slow items leave the caller time to report. Items that
/// were not started fail.
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
    // Collect first: the compiler cannot prove that a stream over closures is `Send`.
    let done: Vec<_> = done.collect();
    stream::iter(done).buffered(at_once).collect().await
}

/// Combines results into one: a transient failure if there is any, because then a retry is useful;
/// otherwise a permanent failure.
///
/// # Errors
///
/// The chosen failure.
pub fn summary(results: impl IntoIterator<Item = Result<()>>) -> Result<()> {
    let failures = results.into_iter().filter_map(Result::err);
    failures.min_by_key(Error::is_permanent).map_or(Ok(()), Err)
}

fn late() -> Error {
    Error::Busy("earlier items took too long")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failure_does_not_stop_the_others() {
        let work = async |number: u32| if number == 1 { Err(Error::Stale) } else { Ok(()) };
        for at_once in [1, 8] {
            let results = each([1, 2, 3], at_once, Duration::MAX, work).await;
            assert!(matches!(results[..], [Err(Error::Stale), Ok(()), Ok(())]), "{results:?}");
        }
    }

    #[test]
    fn transient_failures_come_before_permanent_ones() {
        let permanent = || Err(Error::permanent("reading")("no"));
        assert!(summary([Ok(()), Ok(())]).is_ok());
        assert!(summary([Ok(()), permanent()]).unwrap_err().is_permanent());
        assert!(matches!(summary([permanent(), Err(Error::Stale)]), Err(Error::Stale)));
    }

    #[tokio::test]
    async fn no_work_is_started_after_the_time_limit() {
        let work = async |_| {
            tokio::time::sleep(Duration::from_millis(2)).await;
            Ok(())
        };
        let results = each([1, 2], 1, Duration::from_millis(1), work).await;
        assert!(matches!(results[..], [Ok(()), Err(Error::Busy(_))]), "{results:?}");
    }
}
