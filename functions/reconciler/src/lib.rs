//! Closes jobs whose deadline has passed, so that no tenant hangs for ever.

use serde_json::Value;
use shared::{
    Env, Error, Result,
    aws::Aws,
    config::ConfigError,
    domain::{Closing, Job, Outcome, Timestamp, UserId},
    store::{Change, Store},
};

/// Closes overdue jobs as timed out.
#[derive(Debug)]
pub struct Reconciler {
    store: Store,
    system: UserId,
}

impl Reconciler {
    /// A reconciler of the table `TABLE_NAME`, in the name of `SYSTEM_USER_ID`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the variable that is missing.
    pub async fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: Store::from_env(env, &Aws::from_env(env)?)?,
            system: env.required("SYSTEM_USER_ID")?.into(),
        })
    }

    /// Closes every job that is overdue now; the schedule's payload does not matter.
    ///
    /// # Errors
    ///
    /// Where the table cannot be read or written; the next run goes on.
    pub async fn handle(&self, _: Value) -> Result<()> {
        let now = shared::now();
        for job in self.store.overdue_jobs(now).await? {
            self.give_up(&job, now).await?;
        }
        Ok(())
    }

    async fn give_up(&self, job: &Job, now: Timestamp) -> Result<()> {
        let reason = format!("Nobody reported an outcome before the deadline, {}.", job.deadline);
        let closing = Closing::badly(Outcome::TimedOut, reason);
        let change = Change { job: &job.reference(), closing: &closing, now, by: &self.system };
        match self.store.close_job(job.tenant_id, &change).await {
            // Somebody reported at the last moment; the index is a moment behind.
            Err(Error::Stale) => Ok(()),
            closed => closed,
        }
    }
}
