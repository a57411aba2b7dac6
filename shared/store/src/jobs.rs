use serde::Deserialize;

use super::{
    IndexKey, Item, Key, Store,
    changes::Changes,
    item::{decode, kind_of},
};
use domain::{
    ChildKind, Contact, Error, Job, JobId, JobRef, JobResult, JobState, ResourceChange, Result,
    Step, Subscription, Tenant, TenantId, Text, UserId,
};
use schema::Timestamp;

impl Item for Job {
    const KIND: &'static str = "job";

    fn key(&self) -> Key {
        Key::job(self.tenant_id, self.attempt)
    }

    fn indexes(&self) -> Vec<IndexKey> {
        vec![IndexKey::listed(IndexKey::OPEN_JOB, self.deadline, self.id)]
    }
}

/// The closing of a job.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    /// The job to close.
    pub job: &'a JobRef,
    /// The reported outcome.
    pub result: &'a JobResult,
    /// The time of the closing.
    pub now: Timestamp,
    /// The user or system that reports the outcome.
    pub by: &'a UserId,
}

impl Store {
    /// Returns the tenant's job with this `attempt`, or `None` if the job has another ID or does
    /// not exist.
    ///
    /// # Errors
    ///
    /// [`Error::Aws`] if the job cannot be read.
    pub async fn job(&self, tenant: TenantId, attempt: u32, id: JobId) -> Result<Option<Job>> {
        let job: Option<Job> = self.get(Key::job(tenant, attempt)).await?;
        Ok(job.filter(|job| job.id == id))
    }

    /// Returns the tenant with this ID, its contacts and its jobs (newest first), in one read.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such tenant or it was deleted.
    #[tracing::instrument(skip_all, fields(tenant.id = %id))]
    pub async fn tenant_with_contacts_and_jobs(
        &self,
        id: TenantId,
    ) -> Result<(Tenant, Vec<Contact>, Vec<Job>)> {
        let prefix = Key::children(ChildKind::Contact);
        let (tenant, items) = self.tenant_and(id, prefix, &[Contact::KIND, Job::KIND]).await?;
        let (jobs, contacts): (Vec<_>, Vec<_>) =
            items.into_iter().partition(|item| kind_of(item) == Some(Job::KIND));
        let contacts = contacts.into_iter().map(decode).collect::<Result<_>>()?;
        let jobs = jobs.into_iter().rev().map(decode).collect::<Result<_>>()?;
        Ok((tenant, contacts, jobs))
    }

    /// Opens a job for the request with this ID: writes the job and moves its tenant to the
    /// matching status, in one transaction.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the tenant has changed since the job was prepared.
    #[tracing::instrument(skip_all, fields(tenant.id = %tenant.id, job.id = %job.id))]
    pub async fn open_job(&self, tenant: &Tenant, job: &Job, request: &str) -> Result<()> {
        let status = job.kind.status_while_open();
        let before = tenant.latest_job.as_ref();
        let assumed = match before {
            Some(_) => "#status = :was AND latestJob.id = :before AND deleted = :no",
            None => "#status = :was AND attribute_not_exists(latestJob) AND deleted = :no",
        };
        let mut opened = Changes::when(assumed)
            .given("was", tenant.status)
            .given("no", false)
            .set("#status", "status", status)
            .set("gsi2pk", "gsi2pk", IndexKey::tenants_of_status(status.number()))
            .set("latestJob", "job", job.reference())
            .set("modifiedOn", "now", job.audit.created_on)
            .set("modifiedBy", "by", &job.audit.created_by);
        if let Some(before) = before {
            opened = opened.given("before", before.id);
        }
        let mut writes = self
            .transaction()
            .update(Key::tenant(tenant.id), opened, Error::Stale)?
            .insert_from(job, request)?;
        if let Some(failed) = before.filter(|job| job.failed_to_deprovision()) {
            writes = writes.update(Key::job_of(tenant.id, failed), unlisted(), Error::Stale)?;
        }
        self.forgetting(tenant.id, writes.commit()).await
    }

    /// Records that a job's pipeline is running, with its execution ID and log URL.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the job is no longer queued.
    #[tracing::instrument(skip_all, fields(tenant.id = %tenant, job.attempt = attempt))]
    pub async fn start_job(
        &self,
        tenant: TenantId,
        attempt: u32,
        execution: &str,
        log_url: &str,
        now: Timestamp,
    ) -> Result<()> {
        let running = Changes::when("#state = :queued")
            .given("queued", JobState::Queued)
            .set("#state", "running", JobState::Running)
            .set("executionId", "execution", execution)
            .set("logUrl", "log", log_url)
            .set("modifiedOn", "now", now)
            .append("steps", "step", Step { name: JobState::Running, time: now });
        self.change(Key::job(tenant, attempt), running, Error::Stale).await
    }

    /// Closes an open job, moves its tenant to the matching status and writes the job's resources,
    /// in one transaction.
    ///
    /// If the item would become too large, the job is closed without the tenant's contacts and
    /// domains, and only the ID and tier of its subscription are kept.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the job is not the tenant's latest or is already closed.
    #[tracing::instrument(skip_all, fields(tenant.id = %tenant, job.id = %change.job.id))]
    pub async fn close_job(&self, tenant: TenantId, change: &Change<'_>) -> Result<()> {
        match Box::pin(self.close_with(tenant, change, closed(change))).await {
            Err(error) if error.is_permanent() => {
                tracing::error!(error = %error.with_causes(), "closing a job without its details");
                let job = self.get::<Lengthy>(Key::job_of(tenant, change.job)).await?;
                let brief = job.ok_or(Error::Stale)?.shortened(closed(change));
                Box::pin(self.close_with(tenant, change, brief)).await
            }
            closed => closed,
        }
    }

    /// Closes a job with these changes to its item.
    async fn close_with(
        &self,
        tenant: TenantId,
        change: &Change<'_>,
        closed: Changes,
    ) -> Result<()> {
        let Change { job, result, now, by } = *change;
        let status = job.kind.status_while_open().after(job.closing(result.outcome))?;
        let mut moved =
            Changes::when("latestJob.id = :job AND attribute_not_exists(latestJob.outcome)")
                .given("job", job.id)
                .set("latestJob.outcome", "outcome", result.outcome)
                .set("#status", "status", status)
                .set("gsi2pk", "gsi2pk", IndexKey::tenants_of_status(status.number()))
                .set("modifiedOn", "now", now)
                .set("modifiedBy", "by", by);
        moved = match job.resource_change(result) {
            ResourceChange::Created => moved.set("builtBy", "attempt", job.attempt),
            ResourceChange::Removed => {
                moved.set("removedBy", "attempt", job.attempt).remove("builtBy")
            }
            ResourceChange::Unchanged => moved,
        };
        let mut writes = self
            .transaction()
            .update(Key::tenant(tenant), moved, Error::Stale)?
            .update(Key::job_of(tenant, job), closed, Error::Stale)?;
        for resource in &result.resources {
            writes = writes.insert(&resource.to_resource(tenant, job.attempt, now, by))?;
        }
        self.forgetting(tenant, writes.commit()).await
    }
}

/// Returns the changes that close a job's item.
fn closed(change: &Change<'_>) -> Changes {
    let Change { job, result, now, by } = *change;
    let state = result.outcome.state();
    let mut closed = Changes::when("#state IN (:queued, :running)")
        .given("queued", JobState::Queued)
        .given("running", JobState::Running)
        .set("#state", "closed", state)
        .append("steps", "step", Step { name: state, time: now })
        .set("modifiedOn", "now", now)
        .set("modifiedBy", "by", by);
    let ended = JobRef { outcome: Some(result.outcome), ..job.clone() };
    closed = if ended.failed_to_deprovision() {
        let IndexKey { pk, sk, .. } =
            IndexKey::listed(IndexKey::FAILED_DEPROVISIONING, now, job.id);
        closed.set("gsi1pk", "list", pk).set("gsi1sk", "order", sk)
    } else {
        closed.remove("gsi1pk").remove("gsi1sk")
    };
    if let Some(reason) = &result.reason {
        closed = closed.set("reason", "reason", reason);
    }
    if let Some(url) = &result.app_plane_url {
        closed = closed.set("appPlaneUrl", "url", url);
    }
    closed
}

/// The parts of a job's item that can be shortened.
#[derive(Debug, Deserialize)]
struct Lengthy {
    subscription: Subscription,
    tier: Text<1, 100>,
}

impl Lengthy {
    /// Adds the shortening of the item to `closed`.
    fn shortened(&self, closed: Changes) -> Changes {
        let none = Vec::<Contact>::new();
        closed
            .set("subscription", "subscription", self.subscription.brief(&self.tier))
            .set("tenant.contacts", "none", &none)
            .set("tenant.domains", "none", &none)
    }
}

/// Returns the change that removes a job from the list that contains it.
pub(super) fn unlisted() -> Changes {
    Changes::when("attribute_exists(pk)").remove("gsi1pk").remove("gsi1sk")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::item::encode;
    use domain::{Isolation, JobKind, NewTenant, Subscription, Work};
    use schema::read;

    #[test]
    fn a_job_survives_encoding_and_decoding() {
        let new: NewTenant = read(&json!({
            "key": "acme", "name": "Acme", "domains": ["acme.test"],
            "contact": {
                "firstName": "Ada", "lastName": "L", "email": "ada@acme.test", "isPrimary": true,
            },
        }))
        .unwrap();
        let (now, by) = (lambda::now(), UserId::from("operator"));
        let onboarding = new.onboard(now, &by).unwrap();
        let body = json!({ "id": "s1", "plan": { "tier": "BASIC" } });
        let subscription = Subscription::from_text(&body.to_string()).unwrap();
        let (contacts, hour) = (vec![onboarding.contact], Duration::from_secs(3600));
        let tenant = onboarding.tenant;
        let work = Work { kind: JobKind::Provision, subscription, isolation: Isolation::Pool };
        let job = Job::open(&tenant, contacts, work, hour, now, &by).unwrap();
        let item = encode(&job).unwrap();
        assert!(item.values().all(|value| !value.is_null()), "absent, not NULL");
        let read: Job = decode(item).unwrap();
        assert_eq!(format!("{read:?}"), format!("{job:?}"));
    }
}
