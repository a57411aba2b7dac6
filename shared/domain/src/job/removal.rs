//! Jobs that remove the resources of a tenant.

use std::time::Duration;

use crate::{Contact, Error, Job, JobKind, Result, Tenant, UserId};
use schema::Timestamp;

impl Job {
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
        let built = jobs.iter().find(|job| Some(job.attempt) == tenant.built_by);
        let latest = || jobs.iter().find(|job| job.kind == JobKind::Provision);
        let work = built.or_else(latest).map(Self::to_deprovisioning);
        let work = work.ok_or("no job has built the tenant");
        let work = work.map_err(Error::internal("opening a job"))?;
        Self::open(tenant, contacts, work, expiry, now, by)
    }
}
