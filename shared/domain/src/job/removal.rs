//! Jobs that remove the resources of a tenant.

use std::time::Duration;

use crate::{
    Contact, Error, Isolation, Job, JobKind, Refusal, Result, Tenant, UserId, refusal::allow_if,
};
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TenantStatus;
    use crate::job::tests::job;
    use crate::tenant::tests::tenant;

    #[test]
    fn the_resources_are_removed_by_the_pipeline_that_built_them_or_by_that_of_the_latest_attempt()
    {
        let (now, by) = (crate::now(), UserId::from("operator"));
        let job = |attempt, kind, isolation| Job { attempt, isolation, ..job(kind, now) };
        let jobs = [
            job(3, JobKind::Deprovision, Isolation::Silo),
            job(2, JobKind::Provision, Isolation::Pool),
            job(1, JobKind::Provision, Isolation::Silo),
        ];
        let open = |built_by, jobs: &[Job]| {
            let tenant = Tenant { status: TenantStatus::Active, built_by, ..tenant() };
            let expiry = Duration::from_secs(3600);
            Job::open_deprovisioning(&tenant, Vec::new(), jobs, expiry, (now, &by))
        };
        for (built_by, isolation) in
            [(Some(1), Isolation::Silo), (Some(2), Isolation::Pool), (None, Isolation::Pool)]
        {
            let opened = open(built_by, &jobs).unwrap();
            assert_eq!((opened.kind, opened.isolation), (JobKind::Deprovision, isolation));
        }
        assert!(matches!(open(Some(1), &[]), Err(Error::Internal { .. })));
    }
}
