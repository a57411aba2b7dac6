//! Invocations of functions, which can end at any call of a service.

use std::{
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use serde_json::{Value, value::RawValue};
use tokio::sync::Notify;
use tracing::Instrument;

use crate::{faults::Mishap, virtual_time, world::World};

tokio::task_local! {
    static CURRENT: Arc<Invocation>;
}

/// One invocation of a function.
#[derive(Debug)]
pub(crate) struct Invocation {
    /// The binary of the function.
    pub(crate) function: String,
    /// The event or the request that caused it.
    pub(crate) cause: String,
    pub(crate) number: u64,
    crash: Notify,
    /// Whether one of its calls had a fault.
    faulty: AtomicBool,
}

/// The result of an invocation: the function's answer, or why there is none.
pub(crate) type Ended<T> = Result<T, String>;

/// How far a skewed clock is off, in milliseconds.
const SKEW: i64 = 2_000;

impl Invocation {
    /// Returns the invocation that makes the current call.
    pub(crate) fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }

    /// Ends the invocation.
    pub(crate) fn crash(&self) {
        self.crash.notify_one();
    }

    /// Records that a call had a fault.
    pub(crate) fn set_faulty(&self) {
        self.faulty.store(true, Relaxed);
    }
}

impl std::fmt::Display for Invocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}#{}", self.function, self.number)
    }
}

impl World {
    /// Passes an event to a function that does not serve HTTP.
    pub(crate) async fn invoke(
        self: &Arc<Self>,
        function: &str,
        cause: &str,
        event: Value,
    ) -> Ended<Value> {
        let handler = self.instance(function).await?;
        let work = async move { handler.handle(event).await };
        self.run(function, cause, work).await.map(|(answer, _)| answer)
    }

    /// Passes a request to a function that serves HTTP. Also returns whether the invocation had a fault.
    pub(crate) async fn request(
        self: &Arc<Self>,
        function: &str,
        cause: &str,
        event: Box<RawValue>,
    ) -> Ended<(Vec<u8>, bool)> {
        let handler = self.instance(function).await?;
        self.run(function, cause, async move { handler.answer(&event).await }).await
    }

    async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        function: &str,
        cause: &str,
        work: impl Future<Output = Ended<T>> + Send + 'static,
    ) -> Ended<(T, bool)> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let invocation = Arc::new(Invocation {
            function: function.to_owned(),
            cause: cause.to_owned(),
            number: NUMBER.fetch_add(1, Relaxed),
            crash: Notify::new(),
            faulty: AtomicBool::new(false),
        });
        self.trace.add(format_args!("{invocation} begins: {cause}"), &[]);
        let limit = self.services.template().function(function);
        let limit = limit.map_or(Duration::from_secs(10), |function| function.timeout);
        let is_skewed = self.faults.strike(Mishap::Skewed, 30, &self.chance);
        let skew = if is_skewed { *self.chance.one(&[-SKEW, SKEW]) } else { 0 };
        let span = lambda::span(&invocation.to_string());
        let work = tokio::time::timeout(limit, Skewed { inner: Box::pin(work), skew });
        let running = Arc::clone(&invocation);
        let task = async move {
            tokio::select! {
                biased;
                () = running.crash.notified() => Err("the function was stopped".to_owned()),
                ended = work => match ended {
                    Ok(ended) => ended,
                    Err(_) => {
                        running.set_faulty();
                        Err("the function timed out".to_owned())
                    }
                },
            }
        };
        let task = CURRENT.scope(Arc::clone(&invocation), task.instrument(span));
        let ended = match tokio::spawn(task).await {
            Ok(ended) => ended,
            Err(panicked) => self.violated("no panic", &format!("{invocation}: {panicked}")),
        };
        let faulty = invocation.faulty.load(Relaxed);
        let how = ended.as_ref().err().map_or("ends", String::as_str);
        self.trace.add(format_args!("{invocation} {how}"), &[]);
        ended.map(|answer| (answer, faulty))
    }
}

/// A future during which the system's clock is off.
struct Skewed<F> {
    inner: Pin<Box<F>>,
    skew: i64,
}

impl<F: Future> Future for Skewed<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let before = virtual_time::set_skew(self.skew);
        let polled = pin!(&mut self.inner).poll(context);
        virtual_time::set_skew(before);
        polled
    }
}
