//! Jobs.

pub(crate) mod batch;
pub(crate) mod by_plan;
pub(crate) mod close;
pub(crate) mod following;
pub(crate) mod open;
pub(crate) mod overdue;
pub(crate) mod pages;
pub(crate) mod prepare;
pub(crate) mod progress;
#[cfg(test)]
mod size_tests;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    Store,
    table::{
        index::{IndexKey, Partition},
        item::{Item, Stored},
        key::Key,
        query::QueryPages,
        update::Update,
    },
};
use domain::{Error, Job, JobId, JobState, Result, Step, Tenant, TenantId};
use schema::Timestamp;

impl Item for Job {
    const ENTITY: &'static str = "job";

    fn key(&self) -> Key {
        Key::job(self.tenant_id, self.attempt)
    }

    fn indexes(&self) -> Vec<IndexKey> {
        vec![Partition::open_jobs().key(self.deadline, self.id)]
    }
}

impl Store {
    /// Returns the tenant's job with this `attempt`, or `None` if the job has another ID or does
    /// not exist.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the job cannot be read.
    pub async fn job(&self, tenant: TenantId, attempt: u32, id: JobId) -> Result<Option<Job>> {
        let job: Option<Job> = self.get(Key::job(tenant, attempt)).await?;
        Ok(job.filter(|job| job.id == id))
    }

    /// Returns the job with this ID and its tenant, which may be cached. The latest job takes one
    /// read; an earlier one takes a read of all jobs, because jobs are stored by attempt.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such tenant, if it was deleted, or if it has no such job.
    pub async fn tenant_with_job(
        &self,
        tenant: TenantId,
        id: JobId,
    ) -> Result<(Tenant, Stored<Job>)> {
        let tenant = self.tenant_for_display(tenant).await?.item;
        let job = match &tenant.latest_job {
            Some(latest) if latest.id == id => {
                self.get_active::<Job>(Key::job_of(tenant.id, latest)).await?
            }
            Some(_) => self.earlier_job(tenant.id, id).await?,
            None => None,
        };
        let job = job.filter(|job| job.item.id == id);
        Ok((tenant, job.ok_or_else(|| Error::not_found(id))?))
    }

    async fn earlier_job(&self, tenant: TenantId, id: JobId) -> Result<Option<Stored<Job>>> {
        let query = self
            .newest_first(tenant, Key::JOBS)
            .filter_expression("id = :id")
            .expression_attribute_values(":id", AttributeValue::S(id.to_string()));
        let job = QueryPages::new(query, "reading a tenant's job").next_item().await?;
        Ok(job.map(|job| job.decode_active()).transpose()?.flatten())
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
        let running = Update::when("#state = :queued")
            .given("queued", JobState::Queued)
            .set("#state", "running", JobState::Running)
            .set("executionId", "execution", execution)
            .set("logUrl", "log", log_url)
            .set("modifiedOn", "now", now)
            .append("steps", "step", Step { name: JobState::Running, time: now });
        self.update(Key::job(tenant, attempt), running, Error::Stale).await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::table::{item::encode, raw_item::RawItem};
    use domain::{
        IdentityProvider, Isolation, JobKind, NewTenant, SubscriptionText, Tiers, UserId, Work,
    };
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
        let subscription =
            SubscriptionText::from_text(&body.to_string(), &Tiers::default()).unwrap();
        let (contacts, hour) = (vec![onboarding.contact], Duration::from_secs(3600));
        let tenant = onboarding.tenant;
        let work = Work {
            kind: JobKind::Provision,
            subscription,
            isolation: Isolation::Pool,
            identity_provider: Some(IdentityProvider::Auth0),
        };
        let job = Job::open(&tenant, contacts, work, hour, now, &by).unwrap();
        let item = encode(&job).unwrap();
        assert!(item.values().all(|value| !value.is_null()), "absent, not NULL");
        let read: Job = RawItem::of(item).decode().unwrap();
        assert_eq!(format!("{read:?}"), format!("{job:?}"));
    }
}
