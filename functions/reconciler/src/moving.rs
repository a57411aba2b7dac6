use domain::{Context, Decision, Error, Job, Result, TenantId};
use store::{Stored, Subscribed};

use crate::clock::{Clock, Outcome};

impl Clock<'_> {
    /// Opens the job that moves the tenant of a subscription, as decided.
    pub(crate) async fn open_move(
        &self,
        found: &Subscribed,
        mut decision: Decision,
        at: Context<'_>,
    ) -> Result<()> {
        let Some(change) = decision.opens.take() else { return Ok(()) };
        let Stored { item: tenant, version } = &found.tenant;
        let from = self.store.tenant_to_build(tenant.id).await?;
        if from.tenant.version != *version {
            return Err(Error::Stale);
        }
        let subscription = &decision.subscription;
        let job = Job::open_move(tenant, from.contacts, subscription, change, self.moves, at)?;
        self.store.open_move_on_time(found, &decision, &job).await
    }

    /// Opens the job that removes the resources which a tenant had before it was moved, if they are
    /// still there and due.
    pub(crate) async fn retire(&self, id: TenantId) -> Result<Outcome> {
        let from = match self.store.tenant_to_build(id).await {
            Err(Error::NotFound { .. }) => return Ok(Outcome::Outdated),
            from => from?,
        };
        let Stored { item: tenant, version } = &from.tenant;
        let timer = tenant.retirement_timer(*version);
        if timer.is_none_or(|timer| timer.at > self.now) {
            return Ok(Outcome::Outdated);
        }
        let at = Context { tenant: tenant.standing(), now: self.now, by: self.system };
        let rules = (&self.moves.tiers, self.moves.expiry);
        let opened = match Job::open_retirement(tenant, from.contacts, &from.jobs, rules, at) {
            Ok(job) => self.store.open_job_on_time(&from.tenant, &job).await,
            Err(error) => Err(error),
        };
        match opened {
            Err(Error::Refused(refusal)) => Ok(Outcome::Waits(refusal)),
            // The tenant or the timer has changed: the next run sees how.
            Ok(()) | Err(Error::Stale) => Ok(Outcome::Done),
            Err(error) => Err(error),
        }
    }
}
