use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use domain::{
    Context, Error, MoveRules, Refusal, Result, Retention, TimerAction, TimerSubject, UserId,
};
use lambda::{each::each, metric::Metric, metric::Metrics};
use schema::Timestamp;
use store::{DueTimer, Store, Subscribed, TimerItem};

/// Number of timers handled concurrently.
const CONCURRENCY: usize = 8;

/// How long after its start a run begins to handle timers. Each action is one transaction, so a run that
/// is cut off loses nothing.
const TIME_BUDGET: Duration = Duration::from_secs(45);

/// Maximum number of actions for one timer in a run, such as missed periods. The next run continues.
const MOST_ACTIONS: usize = 100;

/// The wait before a timer whose action is not possible now is tried again: until the next run.
const RETRY: Duration = Duration::from_secs(50);

/// The wait before a timer that failed for another reason is tried again.
const RETRY_FAILED: Duration = Duration::from_secs(600);

/// Does what the timers of subscriptions and tenants say, on time.
#[derive(Debug)]
pub(crate) struct Clock<'a> {
    pub(crate) store: &'a Store,
    pub(crate) system: &'a UserId,
    pub(crate) metrics: &'a Metrics,
    pub(crate) moves: &'a MoveRules,
    pub(crate) retention: Retention,
    pub(crate) now: Timestamp,
}

/// The result of handling a timer.
pub(crate) enum Outcome {
    /// Nothing is left to do, or the timer was set again.
    Done,
    /// The action is not possible now.
    Waits(Refusal),
    /// The subject no longer has the timer.
    Outdated,
}

impl Clock<'_> {
    /// Handles due timers, page by page, until none is left or the time is up.
    ///
    /// A timer that fails is logged, counted and postponed. It does not hold up the others.
    ///
    /// # Errors
    ///
    /// If the list of timers cannot be read. The next run tries again.
    pub(crate) async fn run(&self, start: Instant) -> Result<()> {
        let mut next = None;
        loop {
            let page = self.store.due_timers(self.now, next).await?;
            let time = TIME_BUDGET.saturating_sub(start.elapsed());
            // Each failure has already been logged and counted.
            Box::pin(each(page.timers, CONCURRENCY, time, |due| self.handle(due))).await;
            next = page.next;
            if next.is_none() || start.elapsed() > TIME_BUDGET {
                return Ok(());
            }
        }
    }

    async fn handle(&self, due: DueTimer) -> Result<()> {
        let outcome = match &due.timer {
            Ok(timer) => Box::pin(self.act(timer)).await,
            Err(error) => Err(Error::permanent("reading a timer")(error.with_causes().to_string())),
        };
        let settled = match outcome {
            Ok(Outcome::Done) => Ok(()),
            Ok(Outcome::Outdated) => self.store.delete_timer(&due).await,
            Ok(Outcome::Waits(why)) => {
                tracing::info!(?why, timer = ?due, "a timer waits");
                self.store.postpone_timer(&due, self.now + RETRY).await
            }
            Err(error) => {
                let cause = error.with_causes().to_string();
                tracing::error!(error = cause, timer = ?due, "a timer failed");
                self.metrics.write(&Metric::ItemFailed, self.now);
                self.store.postpone_timer(&due, self.now + RETRY_FAILED).await
            }
        };
        match settled {
            // The timer was set again in the meantime: the list is eventually consistent.
            Err(Error::Stale) => Ok(()),
            settled => settled,
        }
    }

    /// Does everything that is due for the subject of a timer, in order, each in its own transaction.
    async fn act(&self, timer: &TimerItem) -> Result<Outcome> {
        let id = match (timer.subject, timer.action) {
            (TimerSubject::Subscription(id), _) => id,
            (TimerSubject::Tenant(id), action) => return self.remove(id, action).await,
        };
        let mut refused = BTreeSet::new();
        let mut why = None;
        for _ in 0..MOST_ACTIONS {
            let found = self.store.subscribed(timer.tenant_id, id).await?;
            let Some(found) = found else { return Ok(Outcome::Outdated) };
            let Some(action) = self.next_action(&found, &refused) else {
                return Ok(match why {
                    Some(why) if refused.contains(&timer.action) => Outcome::Waits(why),
                    _ if found.subscription.version == timer.subject_version => Outcome::Done,
                    _ if has(&found, timer) => Outcome::Done,
                    _ => Outcome::Outdated,
                });
            };
            match self.decide(&found, action).await {
                Ok(()) => refused.clear(),
                Err(Error::Stale) => {}
                Err(Error::Refused(refusal)) => {
                    refused.insert(action);
                    why = Some(refusal);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Outcome::Done)
    }

    /// Returns the first action that is due and was not refused.
    fn next_action(
        &self,
        found: &Subscribed,
        refused: &BTreeSet<TimerAction>,
    ) -> Option<TimerAction> {
        let timers = found.subscription.item.timers(found.subscription.version);
        let mut due = timers.into_iter().filter(|timer| timer.at <= self.now);
        due.find(|timer| !refused.contains(&timer.action)).map(|timer| timer.action)
    }

    async fn decide(&self, found: &Subscribed, action: TimerAction) -> Result<()> {
        let tenant = found.tenant.item.standing();
        let at = Context { tenant, now: self.now, by: self.system };
        let decision = found.subscription.item.clone().run(action, at)?;
        match decision.map(|decision| decision.retaining(self.retention)) {
            Some(decision) if decision.opens.is_some() => self.open_move(found, decision, at).await,
            Some(decision) => self.store.decide(found, &decision, None).await,
            None => Ok(()),
        }
    }
}

/// Returns whether a subscription still has a timer.
fn has(found: &Subscribed, timer: &TimerItem) -> bool {
    let timers = found.subscription.item.timers(found.subscription.version);
    timers.iter().any(|other| other.action == timer.action)
}
