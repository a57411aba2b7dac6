//! The example data of `--demo`: tenants in every status except SUSPENDED, with contacts, invoices
//! and jobs, and leads. It is the same at every run, except for its times, which end now.

mod names;
mod story;

use std::time::Duration;

use domain::{
    Error, Job, JobState, NewContact, NewInvoice, NewLead, NewTenant, Result, Step,
    SubscriptionText, Tenant, TenantId, Tiers, UserId, Work,
};
use schema::{Timestamp, read};
use serde_json::json;
use store::{JobCompletion, Store, TenantToBuild};

use names::{COMPANIES, PEOPLE};
use story::{Attempt, STORIES};

const HOUR: Duration = Duration::from_secs(3600);

/// Deadline of the jobs, so that the open ones stay open.
const EXPIRY: Duration = Duration::from_secs(30 * 24 * 3600);

/// Number of leads without a tenant. Every second one is verified.
const LEADS: usize = 12;

/// Writes the example data into a store.
#[derive(Debug)]
pub(crate) struct Demo {
    store: Store,
    now: Timestamp,
    by: UserId,
}

impl Demo {
    /// Creates the example data of this time.
    pub(crate) fn new(store: Store, now: Timestamp) -> Self {
        Self { store, now, by: UserId::from("demo") }
    }

    /// Writes what the store does not have yet. A tenant whose key is taken is left as it is, so
    /// that a folder is filled once.
    ///
    /// # Errors
    ///
    /// If the store cannot be written.
    pub(crate) async fn write(&self) -> Result<()> {
        let mut is_new = false;
        for ((number, company), story) in COMPANIES.iter().enumerate().zip(STORIES) {
            match self.tenant(number, company).await {
                Ok(tenant) => {
                    is_new = true;
                    Box::pin(self.live(number, &tenant, story)).await?;
                }
                Err(Error::TenantKeyTaken(_)) => {}
                Err(error) => return Err(error),
            }
        }
        for number in (0..LEADS).filter(|_| is_new) {
            self.lead(number).await?;
        }
        Ok(())
    }

    /// Returns when the tenant with this number was onboarded: one every 23 hours, the last one a
    /// minute ago.
    fn onboarded(&self, number: usize) -> Timestamp {
        let later = u32::try_from(COMPANIES.len() - 1 - number).unwrap_or_default();
        self.now - HOUR * 23 * later - Duration::from_secs(60)
    }

    async fn tenant(&self, number: usize, (key, name): &(&str, &str)) -> Result<Tenant> {
        let (domain, [first, last]) = (format!("{key}.test"), person(number));
        let new: NewTenant = read(&json!({
            "key": key, "name": name, "domains": [domain],
            "contact": {
                "firstName": first, "lastName": last, "isPrimary": true, "type": "admin",
                "email": format!("admin@{domain}"),
            },
        }))?;
        let onboarding = new.onboard(self.onboarded(number), &self.by)?;
        self.store.onboard(&onboarding).await?;
        Ok(onboarding.tenant)
    }

    /// Adds a contact and invoices, and lets the jobs of the story happen.
    async fn live(&self, number: usize, tenant: &Tenant, story: &[Attempt]) -> Result<()> {
        let start = self.onboarded(number);
        let [first, last] = person(number + 7);
        let contact: NewContact = read(&json!({
            "firstName": first, "lastName": last, "email": format!("billing@{}.test", tenant.key),
            "isPrimary": false, "type": "billing", "tenantId": tenant.id,
        }))?;
        self.store.add_child(&contact.create(start, &self.by), None).await?;
        for invoice in 0..number % 4 {
            let new: NewInvoice = read(&json!({
                "startDate": format!("2026-{:02}-01", invoice + 1),
                "endDate": format!("2026-{:02}-28", invoice + 1),
                "dueDate": format!("2026-{:02}-14", invoice + 2),
                "amount": 49 * (number + 1), "currencyCode": "EUR", "status": invoice % 2,
                "tenantId": tenant.id,
            }))?;
            self.store.add_child(&new.create(start, &self.by), None).await?;
        }
        for (later, attempt) in (0u32..).zip(story) {
            let opened = start + Duration::from_secs(20) * (later + 1);
            self.job(number, tenant.id, attempt, opened).await?;
        }
        Ok(())
    }

    /// Writes a job that is running, and its end if it has one. No pipeline is started for a job
    /// that is already running.
    async fn job(
        &self,
        number: usize,
        id: TenantId,
        attempt: &Attempt,
        at: Timestamp,
    ) -> Result<()> {
        let tier = match number % 3 {
            0 => "PREMIUM",
            1 => "STANDARD",
            _ => "BASIC",
        };
        let tiers = Tiers::default();
        let plan = json!({ "id": format!("subscription-{number}"), "plan": { "tier": tier } });
        let subscription = SubscriptionText::from_text(&plan.to_string(), &tiers)?;
        let TenantToBuild { tenant, contacts, .. } = self.store.tenant_to_build(id).await?;
        let (kind, isolation) = (attempt.kind(), tiers.isolation(tier));
        let work = Work { kind, subscription, isolation, identity_provider: None };
        let mut job = Job::open(&tenant.item, contacts, work, EXPIRY, at, &self.by)?;
        job.state = JobState::Running;
        job.steps.push(Step { name: JobState::Running, time: at + Duration::from_secs(1) });
        self.store.open_job(&tenant, None, &job, "demo").await?;
        let Some(result) = attempt.result(&tenant.item.key)? else { return Ok(()) };
        let took = Duration::from_secs(8 + u64::try_from(number % 10).unwrap_or_default());
        let (job, by) = (&job.reference(), &self.by);
        let end = JobCompletion { job, result: &result, now: at + took, by };
        self.store.close_job(id, &end).await
    }

    async fn lead(&self, number: usize) -> Result<()> {
        let [first, last] = person(number + 13);
        let is_verified = number.is_multiple_of(2);
        let new: NewLead = read(&json!({
            "firstName": first, "lastName": last, "companyName": format!("{last} Trading"),
            "email": format!("{}@lead{number}.test", first.to_lowercase()),
        }))?;
        let hours = u32::try_from(LEADS - number).unwrap_or_default();
        let mut lead = new.into_lead(self.now - HOUR * hours, &self.by, None);
        lead.unmailed = is_verified;
        self.store.put_lead(&lead, "demo").await?;
        if is_verified {
            self.store.validate_lead(&lead, self.now, &self.by, None).await?;
        }
        Ok(())
    }
}

/// Returns the first and last name of a person.
fn person(number: usize) -> [&'static str; 2] {
    PEOPLE.get(number % PEOPLE.len()).copied().unwrap_or(["Ada", "Lovelace"])
}
