//! How the current request came about. Every write stamps it on its item, for the audit log.
//!
//! It belongs to the task that answers the request, like the spans of the log, so that no rule and
//! no method of the store has to pass it on. Work outside of a request is done by the system.

use std::{cell::RefCell, future::Future};

use domain::{Trace, Via};

tokio::task_local! {
    static CURRENT: RefCell<Trace>;
}

/// Runs `work` as a part of the request that `trace` describes.
pub async fn scope<F: Future>(trace: Trace, work: F) -> F::Output {
    CURRENT.scope(RefCell::new(trace), work).await
}

/// Returns how the current request came about.
#[must_use]
pub fn current() -> Trace {
    CURRENT.try_with(|trace| trace.borrow().clone()).unwrap_or_default()
}

/// Records the kind of caller, once the request is authenticated.
pub fn called_by(via: Via) {
    change(|trace| trace.via = via);
}

/// Records that the caller is a program with a token of its own.
pub fn called_by_machine() {
    change(|trace| {
        trace.via = Via::Api;
        trace.machine = true;
    });
}

fn change(change: impl FnOnce(&mut Trace)) {
    // Outside of a request there is nothing to change.
    let _ = CURRENT.try_with(|trace| change(&mut trace.borrow_mut()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn concurrent_requests_have_their_own_trace() {
        let request = |id: &'static str, via| {
            scope(Trace::of_request(id, None, Some("curl")), async move {
                assert_eq!(current().via, Via::Lead);
                called_by(via);
                tokio::task::yield_now().await;
                current()
            })
        };
        let (one, two) = tokio::join!(request("1", Via::Api), request("2", Via::Build));
        assert_eq!((one.request_id.as_deref(), one.via), (Some("1"), Via::Api));
        assert_eq!((two.request_id.as_deref(), two.via), (Some("2"), Via::Build));
        called_by_machine();
        assert_eq!(current(), Trace::default());
    }
}
