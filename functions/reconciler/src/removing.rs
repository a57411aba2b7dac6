use domain::{Context, Error, Job, Refusal, Result, TenantId, TimerAction};
use store::{Stored, TenantToBuild};

use crate::clock::{Clock, Outcome};

impl Clock<'_> {
    /// Opens the job that removes resources of a tenant, if they are still there and due: those from
    /// before its move, or all of them after the cancellation of its subscription. A tenant with another
    /// subscription keeps them until that has ended too.
    pub(crate) async fn remove(&self, id: TenantId, action: TimerAction) -> Result<Outcome> {
        let from = match self.store.tenant_to_build(id).await {
            Err(Error::NotFound { .. }) => return Ok(Outcome::Outdated),
            from => from?,
        };
        let before = from.tenant.clone();
        let Stored { item: tenant, version } = &before;
        let timer = match action {
            TimerAction::Retire => tenant.retirement_timer(*version),
            TimerAction::Deprovision => tenant.deprovisioning_timer(*version),
            _ => None,
        };
        if timer.is_none_or(|timer| timer.at > self.now) {
            return Ok(Outcome::Outdated);
        }
        let opened = match self.removal(from, action) {
            Ok(job) => self.store.open_job_on_time(&before, &job).await,
            Err(error) => Err(error),
        };
        match opened {
            Err(Error::Refused(refusal)) => Ok(Outcome::Waits(refusal)),
            // The tenant or the timer has changed: the next run sees how.
            Ok(()) | Err(Error::Stale) => Ok(Outcome::Done),
            Err(error) => Err(error),
        }
    }

    fn removal(&self, from: TenantToBuild, action: TimerAction) -> Result<Job> {
        let TenantToBuild { tenant: Stored { item: tenant, .. }, contacts, jobs, current, .. } =
            from;
        let expiry = self.moves.expiry;
        if action == TimerAction::Retire {
            let at = Context { tenant: tenant.standing(), now: self.now, by: self.system };
            let rules = (&self.moves.tiers, expiry);
            return Job::open_retirement(&tenant, contacts, &jobs, rules, at);
        }
        // The customer has returned, and the move for the new subscription has failed.
        if current.is_some() {
            return Err(Refusal::SubscriptionExists.into());
        }
        Job::open_deprovisioning(&tenant, contacts, &jobs, expiry, (self.now, self.system))
    }
}
