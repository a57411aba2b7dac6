//! Closes jobs whose deadline has passed, so that no tenant waits forever, and does what the timers of
//! subscriptions and tenants say.

mod clock;
mod moving;
mod removing;

use std::time::{Duration, Instant};

use domain::{Error, JobPhase, JobResult, MoveRules, Outcome, Result, Retention, UserId};
use lambda::{
    Env,
    aws::Aws,
    config::{ConfigError, moves, retention},
    each::each,
    metric::{Metric, Metrics},
};
use schema::Timestamp;
use serde_json::Value;
use store::{JobCompletion, Overdue, OverdueJob, Store};

use clock::Clock;

/// Closes overdue jobs as timed out, and renews, ends and suspends on time.
#[derive(Debug)]
pub struct Reconciler {
    store: Store,
    system: UserId,
    metrics: Metrics,
    moves: MoveRules,
    retention: Retention,
}

/// Number of jobs closed concurrently.
const CONCURRENCY: usize = 8;

/// How long a run starts to close jobs. The function has 55 s, of which the last calls may take 16
/// s.
const TIME_BUDGET: Duration = Duration::from_secs(35);

impl Reconciler {
    /// Creates a reconciler for the table `TABLE_NAME` that acts as `SYSTEM_USER_ID`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a variable is missing or malformed.
    pub async fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: Store::from_env(env, &Aws::from_env(env)?)?,
            system: env.required("SYSTEM_USER_ID")?.into(),
            metrics: Metrics::from_env(env),
            moves: moves(env)?,
            retention: retention(env)?,
        })
    }

    /// Closes every overdue job, then handles every due timer. The payload of the schedule is ignored.
    ///
    /// A job that cannot be closed is logged, counted and postponed; it does not hold up the
    /// others. Jobs that a run has no time for come first in the next run.
    ///
    /// # Errors
    ///
    /// If the list of jobs or of timers cannot be read. The next run tries again.
    pub async fn handle(&self, _: Value) -> Result<()> {
        let (now, start) = (lambda::now(), Instant::now());
        let jobs = Box::pin(self.close_overdue_jobs(now, start)).await;
        let Self { store, system, metrics, moves, retention } = self;
        let clock = Clock { store, system, metrics, moves, retention: *retention, now };
        let timers = Box::pin(clock.run(start)).await;
        jobs.and(timers)
    }

    async fn close_overdue_jobs(&self, now: Timestamp, start: Instant) -> Result<()> {
        let mut next = None;
        loop {
            let page = self.store.overdue_jobs(now, next).await?;
            let time = TIME_BUDGET.saturating_sub(start.elapsed());
            let time_out = |overdue: Overdue| self.time_out_or_postpone(overdue, now);
            // Each failure has already been logged and counted.
            Box::pin(each(page.jobs, CONCURRENCY, time, time_out)).await;
            next = page.next;
            if next.is_none() || start.elapsed() > TIME_BUDGET {
                return Ok(());
            }
        }
    }

    async fn time_out_or_postpone(&self, overdue: Overdue, now: Timestamp) -> Result<()> {
        let closed = match &overdue.job {
            Ok(job) => {
                self.time_out(job, now).await.map_err(|error| error.with_causes().to_string())
            }
            Err(error) => Err(error.with_causes().to_string()),
        };
        let Err(error) = closed else { return Ok(()) };
        let postponed = self.store.postpone(&overdue, now).await;
        // The job was closed in the meantime: the list is eventually consistent.
        if matches!(postponed, Err(Error::Stale)) {
            return Ok(());
        }
        tracing::error!(error, job = ?overdue, ?postponed, "an overdue job cannot be closed");
        self.metrics.write(&Metric::ItemFailed, now);
        postponed
    }

    async fn time_out(&self, job: &OverdueJob, now: Timestamp) -> Result<()> {
        let deadline = job.deadline;
        let reason = match job.phase() {
            JobPhase::Build => format!("No outcome was reported before the deadline, {deadline}."),
            JobPhase::Identity => {
                format!("The identity set-up did not succeed before the deadline, {deadline}.")
            }
        };
        let result = JobResult::unsuccessful(Outcome::TimedOut, reason);
        let change =
            JobCompletion { job: &job.reference(), result: &result, now, by: &self.system };
        self.store.close_job(job.tenant_id, &change).await
    }
}
