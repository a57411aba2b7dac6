use std::{collections::HashSet, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::task::JoinSet;

use crate::{
    functions::Functions,
    state::{self, Delivery, State},
    stop::Stop,
    template::{Retries, Template},
};

/// Maximum number of concurrent deliveries.
const MAX_DELIVERIES: usize = 16;

/// How long deliveries may continue after the stop.
const GRACE: Duration = Duration::from_secs(2);

/// Delivers events to functions, and retries failed deliveries.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) state: Arc<State>,
    pub(crate) functions: Arc<Functions>,
    pub(crate) template: Arc<Template>,
}

impl Worker {
    /// Delivers events until the stop. Pending deliveries remain in the state.
    pub(crate) async fn run(self, stop: Stop) {
        let worker = Arc::new(self);
        let stopped = stop.wait();
        tokio::pin!(stopped);
        let mut running = JoinSet::new();
        let mut under_way = HashSet::new();
        loop {
            let notified = worker.state.delivery.notified();
            let wait = worker.begin(&mut running, &mut under_way);
            tokio::select! {
                () = &mut stopped => break,
                () = notified => {}
                () = tokio::time::sleep(wait) => {}
                Some(ended) = running.join_next() => {
                    match ended {
                        Ok(id) => drop(under_way.remove(&id)),
                        Err(_) => under_way.clear(),
                    }
                }
            }
        }
        let _ = tokio::time::timeout(GRACE, async { while running.join_next().await.is_some() {} })
            .await;
    }

    /// Starts the deliveries that are due. Returns the time until the next one is due.
    fn begin(
        self: &Arc<Self>,
        running: &mut JoinSet<i64>,
        under_way: &mut HashSet<i64>,
    ) -> Duration {
        let now = state::now();
        let found = self.state.due_deliveries(now, MAX_DELIVERIES + under_way.len());
        let next = found.and_then(|due| Ok((due, self.state.next_delivery(now)?)));
        let (due, next) = match next {
            Ok(found) => found,
            Err(cause) => {
                tracing::error!(%cause, "deliveries cannot be read");
                return Duration::from_secs(1);
            }
        };
        for (delivery, envelope) in due {
            if running.len() < MAX_DELIVERIES && under_way.insert(delivery.id) {
                let worker = Arc::clone(self);
                running.spawn(async move {
                    worker.deliver(&delivery, envelope).await;
                    delivery.id
                });
            }
        }
        let wait = next.map_or(60_000, |due| due.saturating_sub(now));
        Duration::from_millis(u64::try_from(wait).unwrap_or(0).clamp(5, 60_000))
    }

    async fn deliver(&self, delivery: &Delivery, envelope: Value) {
        let answer = self.functions.invoke_async(&delivery.function, envelope.clone()).await;
        let noted = match answer {
            Ok(_) => self.state.delivered(delivery.id),
            Err(error) => match self.wait(delivery, &envelope) {
                Some(wait_ms) => self.state.deliver_later(delivery.id, &error, wait_ms),
                None => self.state.give_up(delivery, &envelope, &error),
            },
        };
        if let Err(cause) = noted {
            tracing::error!(%cause, "the result of a delivery cannot be stored");
        }
    }

    /// Returns the wait before the next attempt. Returns `None` if there is no next attempt.
    ///
    /// Lambda waits one minute, then two. This waits 1 s, 2 s, 4 s and so on, so that a developer
    /// sees the result. The order of attempts stays the same.
    fn wait(&self, delivery: &Delivery, envelope: &Value) -> Option<i64> {
        let Retries { most, max_age } = self.template.function(&delivery.function)?.retries;
        let published = envelope["time"].as_str().and_then(|time| time.parse().ok());
        let age = published.map(|published| lambda::now().since(published)).unwrap_or_default();
        let may_go_on = delivery.attempts < most && age < max_age;
        may_go_on.then(|| 1000 << delivery.attempts.min(16))
    }
}
