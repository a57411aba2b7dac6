use crate::{
    Store,
    jobs::open::JobCause,
    table::item::{Item, Stored},
};
use domain::{Decision, Error, Job, Plan, Refusal, Result, Subscription, Tenant};

/// The subscription with which a job is opened.
#[derive(Clone, Copy, Debug)]
pub struct PlannedJob<'a> {
    /// The job, which names the subscription.
    pub job: &'a Job,
    /// The plan.
    pub plan: &'a Stored<Plan>,
    /// The tenant's subscription that waits for the job. `None` if the decision creates one.
    pub waiting: Option<&'a Stored<Subscription>>,
    /// The decision about the subscription.
    pub decision: &'a Decision,
}

impl Store {
    /// Opens a job for the request with this ID: writes the job and its subscription, and moves the
    /// tenant to the matching status, in one transaction. A subscription that waits stays as it is.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the tenant, its subscription or the plan has changed since they were read.
    #[tracing::instrument(skip_all, fields(tenant.id = %tenant.item.id, job.id = %planned.job.id))]
    pub async fn open_planned_job(
        &self,
        tenant: &Stored<Tenant>,
        planned: PlannedJob<'_>,
        request: &str,
    ) -> Result<()> {
        let PlannedJob { job, plan, waiting, decision } = planned;
        let opening = self.transaction().opened(tenant, job, JobCause::Request(request))?;
        let writes = match waiting {
            Some(waiting) => {
                opening.require_version(waiting.item.key(), waiting.version, Error::Stale)?
            }
            None => opening.with_subscriber_of(plan)?.decided(None, decision, Some(request))?,
        };
        match self.invalidating(tenant.item.id, writes.commit()).await {
            // The subscription that was created in the meantime may be to this plan.
            Err(Error::Refused(Refusal::SubscriptionExists)) => Err(Error::Stale),
            opened => opened,
        }
    }
}
