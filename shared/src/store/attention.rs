use std::time::Duration;

use super::{IndexKey, Store};
use crate::{
    Result,
    domain::{Attention, Job, JobState, Outcome, Reason, Tenant, TenantStatus, Timestamp},
    filter::Direction,
};

/// How long a tenant may wait for somebody to have it provisioned.
const PENDING: Duration = Duration::from_secs(24 * 3600);

/// How long a job may take before somebody should look at it.
const SLOW: Duration = Duration::from_secs(600);

/// The most tenants of one reason that are named.
const MOST: usize = 20;

impl Store {
    /// Whom somebody should look at, the longest waiting first.
    pub(super) async fn attention(&self, now: Timestamp) -> Result<Vec<Attention>> {
        let status = |status: TenantStatus| IndexKey::tenants_of_status(status.number());
        let (failed, pending) =
            (status(TenantStatus::ProvisionFailed), status(TenantStatus::PendingProvision));
        let open = IndexKey::list_of(IndexKey::OPEN_JOB);
        let standing = IndexKey::list_of(IndexKey::FAILED_DEPROVISIONING);
        let (failed, pending, open, standing): (Vec<Tenant>, Vec<Tenant>, Vec<Job>, Vec<Job>) = tokio::try_join!(
            self.first("gsi2", failed, Direction::Descending, MOST),
            self.first("gsi2", pending, Direction::Ascending, MOST),
            self.first("gsi1", open, Direction::Ascending, MOST),
            self.first("gsi1", standing, Direction::Descending, MOST),
        )?;
        let late = |since: Timestamp, patience| now.since(since) > patience;
        let pending = pending.into_iter().filter(|tenant| late(tenant.audit.created_on, PENDING));
        let open = open.into_iter().filter(|job| late(job.audit.created_on, SLOW));
        let failed = failed.into_iter().map(not_built);
        let jobs = open.map(slow).chain(standing.into_iter().map(not_taken_down));
        let mut attention: Vec<_> = failed.chain(pending.map(waiting)).chain(jobs).collect();
        attention.sort_by_key(|each| each.since);
        Ok(attention)
    }
}

fn not_built(tenant: Tenant) -> Attention {
    let reason = match tenant.latest_job.as_ref().and_then(|job| job.outcome) {
        Some(Outcome::TimedOut) => Reason::TimedOut,
        Some(Outcome::Succeeded | Outcome::Failed) | None => Reason::Failed,
    };
    let since = tenant.audit.modified_on;
    of_tenant(tenant, reason, since)
}

fn waiting(tenant: Tenant) -> Attention {
    let since = tenant.audit.created_on;
    of_tenant(tenant, Reason::Pending, since)
}

fn slow(job: Job) -> Attention {
    let (status, since) = (job.kind.status_while_open(), job.audit.created_on);
    of_job(job, status, Reason::Slow, since)
}

fn not_taken_down(job: Job) -> Attention {
    let timed_out = job.state == JobState::TimedOut;
    let reason = if timed_out { Reason::TimedOut } else { Reason::Failed };
    let since = job.audit.modified_on;
    of_job(job, TenantStatus::Active, reason, since)
}

fn of_tenant(tenant: Tenant, reason: Reason, since: Timestamp) -> Attention {
    let Tenant { id, key, name, status, .. } = tenant;
    Attention { tenant_id: id, key, name, status, reason, since }
}

fn of_job(job: Job, status: TenantStatus, reason: Reason, since: Timestamp) -> Attention {
    let (key, name) = (job.tenant.key, job.tenant.name);
    Attention { tenant_id: job.tenant_id, key, name, status, reason, since }
}
