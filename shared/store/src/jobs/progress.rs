use crate::{
    Store,
    table::{
        item::Stored,
        key::Key,
        update::{AT_VERSION, Update},
    },
};
use domain::{Error, Job, JobRef, Result, StepReport, TenantId};

/// Which jobs a report about a step may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepScope {
    /// Jobs whose build has not ended.
    Building,
    /// All jobs, because the end of a step may be reported after the end of its job.
    All,
}

impl Store {
    /// Records a step of a job's work. The state of the job does not change. Idempotent.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the job has changed since it was read.
    #[tracing::instrument(skip_all, fields(tenant.id = %tenant, job.id = %job.id))]
    pub async fn record_step(
        &self,
        tenant: TenantId,
        job: &JobRef,
        scope: StepScope,
        report: StepReport,
    ) -> Result<()> {
        let key = Key::job_of(tenant, job);
        let stored: Option<Stored<Job>> = self.get_active(key.clone()).await?;
        let shows = |job: &Job| scope == StepScope::All || job.is_building();
        let stored = stored.filter(|stored| stored.item.id == job.id && shows(&stored.item));
        let Some(Stored { item, version }) = stored else { return Ok(()) };
        let Some(progress) = item.progress_after(report) else { return Ok(()) };
        let told = Update::when(AT_VERSION)
            .given("version", version)
            .set("progress", "progress", progress);
        self.update(key, told, Error::Stale).await
    }
}
