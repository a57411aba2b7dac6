//! Schedules that invoke functions (`rate(…)`).

use std::sync::Arc;

use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior};

use crate::{functions::Functions, stop::Stop, template::Schedule};

/// Invokes `function` once per period until the stop. The first invocation is one period from now.
pub(crate) async fn run(
    schedule: Schedule,
    function: String,
    functions: Arc<Functions>,
    stop: Stop,
) {
    let mut clock = tokio::time::interval_at(Instant::now() + schedule.every, schedule.every);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stopped = stop.wait();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            () = &mut stopped => return,
            _ = clock.tick() => {}
        }
        tokio::select! {
            () = &mut stopped => return,
            _ = invoke(&schedule, &function, &functions) => {}
        }
    }
}

/// Invokes the function now, with the input of the schedule.
pub(crate) async fn invoke(
    schedule: &Schedule,
    function: &str,
    functions: &Functions,
) -> Result<Value, String> {
    functions.invoke_async(function, schedule.input.clone()).await
}
