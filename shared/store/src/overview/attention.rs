use std::time::Duration;

use serde::Deserialize;

use crate::{Store, table::index::Partition};
use domain::{
    Attention, EventSuspension, JobKind, JobRef, JobState, Outcome, Reason, Result, TenantId,
    TenantKey, TenantStatus, Text,
};
use filter::Direction;
use schema::Timestamp;

/// A tenant pending for longer needs attention.
const PENDING: Duration = Duration::from_secs(24 * 3600);

/// A job running for longer needs attention.
const SLOW: Duration = Duration::from_secs(600);

/// Maximum number of tenants listed for each reason.
const MOST: usize = 20;

/// The attributes of a tenant that an overview needs, however large the item is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tenant {
    id: TenantId,
    key: TenantKey,
    name: Text<1, 100>,
    status: TenantStatus,
    latest_job: Option<JobRef>,
    created_on: Timestamp,
    modified_on: Timestamp,
}

/// The attribute names of [`Tenant`].
const OF_A_TENANT: &[&str] =
    &["id", "key", "name", "status", "latestJob", "createdOn", "modifiedOn"];

/// The attributes of a job that an overview needs.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Job {
    tenant_id: TenantId,
    tenant: Named,
    kind: JobKind,
    #[serde(default)]
    opened_from: Option<TenantStatus>,
    state: JobState,
    created_on: Timestamp,
    modified_on: Timestamp,
}

/// The tenant in a job's item.
#[derive(Debug, Deserialize)]
struct Named {
    key: TenantKey,
    name: Text<1, 100>,
    #[serde(default)]
    suspension: Option<EventSuspension>,
}

/// The attribute names of [`Job`].
const OF_A_JOB: &[&str] =
    &["tenantId", "tenant", "kind", "openedFrom", "state", "createdOn", "modifiedOn"];

impl Store {
    /// Lists the tenants that need attention, longest waiting first.
    pub(crate) async fn attention(&self, now: Timestamp) -> Result<Vec<Attention>> {
        let status = |status: TenantStatus| Partition::tenants_of_status(status.number());
        let (failed, pending) =
            (status(TenantStatus::ProvisionFailed), status(TenantStatus::PendingProvision));
        let (open, standing) = (Partition::open_jobs(), Partition::failed_deprovisionings());
        let (failed, pending, open, standing): (Vec<Tenant>, Vec<Tenant>, Vec<Job>, Vec<Job>) = tokio::try_join!(
            self.first(failed, Direction::Descending, MOST, OF_A_TENANT),
            self.first(pending, Direction::Ascending, MOST, OF_A_TENANT),
            self.first(open, Direction::Ascending, MOST, OF_A_JOB),
            self.first(standing, Direction::Descending, MOST, OF_A_JOB),
        )?;
        let late = |since: Timestamp, patience| now.since(since) > patience;
        let pending = pending.into_iter().filter(|tenant| late(tenant.created_on, PENDING));
        let open = open.into_iter().filter(|job| late(job.created_on, SLOW));
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
    let since = tenant.modified_on;
    of_tenant(tenant, reason, since)
}

fn waiting(tenant: Tenant) -> Attention {
    let since = tenant.created_on;
    of_tenant(tenant, Reason::Pending, since)
}

fn slow(job: Job) -> Attention {
    let from = job.opened_from.unwrap_or(TenantStatus::Active);
    let (status, since) = (job.kind.status_while_open(from), job.created_on);
    of_job(job, status, Reason::Slow, since)
}

fn not_taken_down(job: Job) -> Attention {
    let timed_out = job.state == JobState::TimedOut;
    let reason = if timed_out { Reason::TimedOut } else { Reason::Failed };
    let since = job.modified_on;
    let suspended = job.tenant.suspension.is_some();
    let status = if suspended { TenantStatus::Suspended } else { TenantStatus::Active };
    of_job(job, status, reason, since)
}

fn of_tenant(tenant: Tenant, reason: Reason, since: Timestamp) -> Attention {
    let Tenant { id, key, name, status, .. } = tenant;
    Attention { tenant_id: id, key, name, status, reason, since }
}

fn of_job(job: Job, status: TenantStatus, reason: Reason, since: Timestamp) -> Attention {
    let Named { key, name, .. } = job.tenant;
    Attention { tenant_id: job.tenant_id, key, name, status, reason, since }
}
