//! Jobs that remove the resources of a tenant.

use std::time::Duration;

use crate::refusal::{Refusal, allow_if};
use crate::{Contact, Error, Isolation, Job, JobKind, Result, Tenant, UserId};
use schema::Timestamp;

impl Job {
    /// Checks that a build for this `isolation` goes on with what an earlier build of `tenant` has left. The
    /// pipeline of the other isolation would neither use nor remove that. `jobs` are the tenant's jobs.
    ///
    /// # Errors
    ///
    /// [`Refusal::TenantState`] if the resources have the other isolation.
    pub fn check_isolation(
        tenant: &Tenant,
        jobs: &[Self],
        isolation: Isolation,
    ) -> Result<(), Refusal> {
        const OTHER: &str = "A failed build has left resources of the other isolation. Provision the \
                             tenant for the same isolation, or deprovision it first.";
        let fits = Self::builder(tenant, jobs).is_none_or(|built| built.isolation == isolation);
        allow_if(fits, Refusal::TenantState(OTHER))
    }

    /// Returns the latest job that created resources of `tenant` which still exist.
    fn builder<'j>(tenant: &Tenant, jobs: &'j [Self]) -> Option<&'j Self> {
        jobs.iter().find(|job| Some(job.attempt) == tenant.built_by)
    }

    /// Opens the job that removes the resources of `tenant`, with the pipeline that built them. `jobs`
    /// are the tenant's jobs, newest first.
    ///
    /// # Errors
    ///
    /// The errors of [`Tenant::status_after_opening`].
    pub fn open_deprovisioning(
        tenant: &Tenant,
        contacts: Vec<Contact>,
        jobs: &[Self],
        expiry: Duration,
        (now, by): (Timestamp, &UserId),
    ) -> Result<Self> {
        tenant.status_after_opening(JobKind::Deprovision)?;
        let latest = || jobs.iter().find(|job| job.kind == JobKind::Provision);
        let work = Self::builder(tenant, jobs).or_else(latest).map(Self::to_deprovisioning);
        let work = work.ok_or("no job has built the tenant");
        let work = work.map_err(Error::internal("opening a job"))?;
        Self::open(tenant, contacts, work, expiry, now, by)
    }
}
