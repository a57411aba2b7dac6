use crate::{
    Store,
    subscriptions::read::{Subscribed, Subscriber},
    table::{
        index::{Index, Partition},
        item::{Item, Stored},
        key::Key,
        transaction::Transaction,
        update::{AT_VERSION, Update},
    },
};
use domain::{Decision, Error, Job, JobKind, Plan, Result, Subscription, Tenant, TenantStatus};

/// The cause of a new job.
#[derive(Clone, Copy, Debug)]
pub(crate) enum JobCause<'a> {
    /// The API request with this ID.
    Request(&'a str),
    /// A timer.
    Timer,
}

impl Store {
    /// Opens a job for the request with this ID: writes the job and moves its tenant to the
    /// matching status, in one transaction. `current` is the subscription that the job names.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the tenant or its subscription has changed since the job was prepared.
    #[tracing::instrument(skip_all, fields(tenant.id = %tenant.item.id, job.id = %job.id))]
    pub async fn open_job(
        &self,
        tenant: &Stored<Tenant>,
        current: Option<&Stored<Subscription>>,
        job: &Job,
        request: &str,
    ) -> Result<()> {
        let mut writes = self.transaction().opened(tenant, job, JobCause::Request(request))?;
        // The end of a pending subscription leaves the tenant as it is.
        if let Some(current) = current {
            writes = writes.require_version(current.item.key(), current.version, Error::Stale)?;
        }
        self.invalidating(tenant.item.id, writes.commit()).await
    }

    /// Opens the job that a timer of the tenant opens, and deletes the timer.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the tenant or the timer has changed since the job was prepared.
    #[tracing::instrument(skip_all, fields(tenant.id = %tenant.item.id, job.id = %job.id))]
    pub async fn open_job_on_time(&self, tenant: &Stored<Tenant>, job: &Job) -> Result<()> {
        let writes = self.transaction().opened(tenant, job, JobCause::Timer)?;
        self.invalidating(tenant.item.id, writes.commit()).await
    }

    /// Opens the job that moves the tenant of a subscription to a plan. The subscription stays as it is
    /// until the job succeeds.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the subscription, its tenant or the plan has changed since they were read.
    #[tracing::instrument(skip_all, fields(tenant.id = %job.tenant_id, job.id = %job.id))]
    pub async fn open_move(
        &self,
        before: &Subscribed,
        plan: &Stored<Plan>,
        job: &Job,
        request: &str,
    ) -> Result<()> {
        let Subscribed { subscription, tenant } = before;
        let key = Key::subscription(tenant.item.id, subscription.item.id);
        let writes = self
            .transaction()
            .with_subscriber_of(plan)?
            .require_version(key, subscription.version, Error::Stale)?
            .opened(tenant, job, JobCause::Request(request))?;
        self.invalidating(tenant.item.id, writes.commit()).await
    }

    /// Opens the job that a timer of a subscription opens, and writes the decision about the
    /// subscription.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the subscription or its tenant has changed since they were read.
    #[tracing::instrument(skip_all, fields(tenant.id = %job.tenant_id, job.id = %job.id))]
    pub async fn open_move_on_time(
        &self,
        before: &Subscribed,
        decision: &Decision,
        job: &Job,
    ) -> Result<()> {
        let writes = self
            .transaction()
            .decided(Some(&before.subscription), decision, None)?
            .opened(&before.tenant, job, JobCause::Timer)?;
        self.invalidating(job.tenant_id, writes.commit()).await
    }

    /// Writes a new subscription, and opens the job that moves its tenant to the plan.
    ///
    /// # Errors
    ///
    /// As [`Store::subscribe`].
    #[tracing::instrument(skip_all, fields(tenant.id = %job.tenant_id, job.id = %job.id))]
    pub async fn subscribe_and_move(
        &self,
        to: &Subscriber,
        decision: &Decision,
        job: &Job,
        request: &str,
    ) -> Result<()> {
        let writes = self
            .transaction()
            .with_subscriber_of(&to.plan)?
            .decided(None, decision, Some(request))?
            .opened(&to.tenant, job, JobCause::Request(request))?;
        self.invalidating(job.tenant_id, writes.commit()).await
    }
}

impl Transaction<'_> {
    /// Writes a new job and what its opening changes in the tenant, which must be as it was read. So
    /// there is no other open job, because the job was prepared from a tenant without one.
    pub(super) fn opened(
        self,
        tenant: &Stored<Tenant>,
        job: &Job,
        cause: JobCause<'_>,
    ) -> Result<Self> {
        let Stored { item: tenant, version } = tenant;
        let mut writes =
            self.update(Key::tenant(tenant.id), opening(tenant, *version, job), Error::Stale)?;
        writes = match cause {
            JobCause::Request(request) => writes.insert_from(job, request)?,
            JobCause::Timer => writes.insert(job)?,
        };
        let timer = match job.kind {
            JobKind::Retire => tenant.retirement_timer(*version),
            JobKind::Deprovision => tenant.deprovisioning_timer(*version),
            JobKind::Provision | JobKind::Change => None,
        };
        if let Some(timer) = timer {
            let timer = Key::timer(timer.subject, timer.action);
            writes = match cause {
                JobCause::Request(_) => writes.delete_any(timer)?,
                JobCause::Timer => writes.delete_existing(timer, Error::Stale)?,
            };
        }
        match tenant.latest_job.as_ref().filter(|job| job.failed_to_deprovision()) {
            Some(failed) => {
                writes.update(Key::job_of(tenant.id, failed), remove_from_list(), Error::Stale)
            }
            None => Ok(writes),
        }
    }
}

/// Returns the change of a tenant by the opening of a job. A job that moves the tenant changes its tier
/// only when it succeeds.
fn opening(tenant: &Tenant, version: u64, job: &Job) -> Update {
    let status: TenantStatus = job.kind.status_while_open(tenant.status);
    let opened = Update::when(AT_VERSION)
        .given("version", version)
        .set("#status", "status", status)
        .set_partition(Partition::tenants_of_status(status.number()))
        .set("latestJob", "job", job.reference())
        .set("modifiedOn", "now", job.audit.created_on)
        .set("modifiedBy", "by", &job.audit.created_by);
    let placed = |opened: Update| {
        let tier = opened.set("tier", "tier", job.subscription.tier());
        tier.set("#isolation", "isolation", job.isolation)
    };
    match job.kind {
        JobKind::Deprovision if tenant.deprovisioning_timer(version).is_some() => {
            placed(opened).remove("suspension.deprovisionOn")
        }
        JobKind::Provision | JobKind::Deprovision => placed(opened),
        JobKind::Change | JobKind::Retire => opened,
    }
}

/// Returns the change that removes a job from the list that contains it.
fn remove_from_list() -> Update {
    Update::when("attribute_exists(pk)").remove_index(Index::Kind)
}
