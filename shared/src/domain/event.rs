use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    Address, Contact, Email, Hostname, Isolation, Job, JobId, JobKind, JobState, Lead, LeadId,
    Tenant, TenantId, TenantKey, TenantStatus, Text, Timestamp,
};
use crate::Result;

/// What can be heard on the bus: the `detail-type` of an event (DESIGN §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EventType {
    /// Somebody asked for a tenant.
    LeadCreated,
    /// A provisioning job opened.
    TenantProvisioning,
    /// It succeeded.
    TenantProvisioningSuccess,
    /// It failed or timed out.
    TenantProvisioningFailure,
    /// A deprovisioning job opened.
    TenantDeprovisioning,
    /// It succeeded.
    TenantDeprovisioningSuccess,
    /// It failed or timed out.
    TenantDeprovisioningFailure,
}

/// The `detail` of an event. Free of secrets; consumers drop an `id` that they have seen.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The version of this form: 1.
    pub version: u8,
    /// The id of what changed and the version that the change made, `<id>#<version>`.
    pub id: String,
    /// When it changed.
    pub time: Timestamp,
    /// The id of the API's request that it began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The lead, in `LEAD_CREATED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<EventLead>,
    /// The tenant as it was when the job opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<EventTenant>,
    /// The subscription as the client gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<Box<RawValue>>,
    /// The job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<EventJob>,
}

/// A lead in an event.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventLead {
    /// Its id.
    pub id: LeadId,
    /// First name.
    pub first_name: Text<1, 100>,
    /// Last name.
    pub last_name: Text<1, 100>,
    /// The company that wants the tenant.
    pub company_name: Text<1, 100>,
    /// Where the verification mail goes.
    pub email: Email,
    /// Where the company is.
    pub address: Option<Address>,
    /// Whether no verification mail is to be sent: its mailbox has had all mails of the day.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unmailed: bool,
}

/// A tenant in an event, and in a job: as it was when the job opened.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventTenant {
    /// Its id.
    pub id: TenantId,
    /// Its unique short name.
    pub key: TenantKey,
    /// What it is called.
    pub name: Text<1, 100>,
    /// Its status while the job is open.
    pub status: TenantStatus,
    /// The host names that its contacts' addresses are at.
    pub domains: Vec<Hostname>,
    /// The lead it came from.
    pub lead_id: Option<LeadId>,
    /// Where it is.
    pub address: Option<Address>,
    /// Its contacts, the primary one first: at most 50, and 64 KiB of JSON.
    pub contacts: Vec<Contact>,
}

/// The most contacts of a tenant that a job and its events carry.
const MOST_CONTACTS: usize = 50;

/// The most bytes that they have as JSON, which is more than they have in an item.
const MOST_OF_CONTACTS: usize = 64 * 1024;

/// A job in an event.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventJob {
    /// Its id.
    pub id: JobId,
    /// 1 for a tenant's first job.
    pub attempt: u32,
    /// What it does.
    pub kind: JobKind,
    /// The tier of the plan.
    pub tier: Text<1, 100>,
    /// Which pipeline does it.
    pub isolation: Isolation,
    /// Where it is in its life.
    pub state: JobState,
    /// Why it failed.
    pub reason: Option<String>,
    /// Where the tenant's application is.
    pub app_plane_url: Option<String>,
}

impl Event {
    /// What a new lead tells the world.
    #[must_use]
    pub fn of_lead(lead: Lead, version: u64) -> Self {
        Self {
            version: 1,
            id: format!("{}#{version}", lead.id),
            time: lead.audit.modified_on,
            request_id: None,
            lead: Some(EventLead {
                id: lead.id,
                first_name: lead.first_name,
                last_name: lead.last_name,
                company_name: lead.company_name,
                email: lead.email,
                address: lead.address,
                unmailed: lead.unmailed,
            }),
            tenant: None,
            subscription: None,
            job: None,
        }
    }

    /// What a job that opened or closed tells the world.
    ///
    /// # Errors
    ///
    /// Where the stored subscription is no JSON.
    pub fn of_job(job: Job, version: u64) -> Result<Self> {
        Ok(Self {
            version: 1,
            id: format!("{}#{version}", job.id),
            time: job.audit.modified_on,
            request_id: None,
            lead: None,
            subscription: Some(job.subscription.raw()?),
            tenant: Some(job.tenant),
            job: Some(EventJob {
                id: job.id,
                attempt: job.attempt,
                kind: job.kind,
                tier: job.tier,
                isolation: job.isolation,
                state: job.state,
                reason: job.reason,
                app_plane_url: job.app_plane_url,
            }),
        })
    }
}

impl EventTenant {
    /// `tenant` in the status that the job brings it to, with as many of its contacts as a job carries.
    #[must_use]
    pub fn of(tenant: &Tenant, status: TenantStatus, mut contacts: Vec<Contact>) -> Self {
        contacts.sort_by_key(|contact| !contact.details.is_primary);
        let mut bytes = 0;
        contacts.retain(|contact| {
            let json = serde_json::to_string(contact).unwrap_or_default();
            bytes += json.len();
            bytes <= MOST_OF_CONTACTS
        });
        contacts.truncate(MOST_CONTACTS);
        Self {
            id: tenant.id,
            key: tenant.key.clone(),
            name: tenant.name.clone(),
            status,
            domains: tenant.domains.clone(),
            lead_id: tenant.lead_id,
            address: tenant.address.clone(),
            contacts,
        }
    }

    /// The contact that hears of the tenant first.
    #[must_use]
    pub fn primary_contact(&self) -> Option<&Contact> {
        self.contacts
            .iter()
            .find(|contact| contact.details.is_primary)
            .or_else(|| self.contacts.first())
    }
}

impl EventType {
    /// What a job in this state is announced as; `None` where its pipeline merely started.
    #[must_use]
    pub fn of_job(kind: JobKind, state: JobState) -> Option<Self> {
        match (kind, state) {
            (_, JobState::Running) => None,
            (JobKind::Provision, JobState::Queued) => Some(Self::TenantProvisioning),
            (JobKind::Provision, JobState::Succeeded) => Some(Self::TenantProvisioningSuccess),
            (JobKind::Provision, JobState::Failed | JobState::TimedOut) => {
                Some(Self::TenantProvisioningFailure)
            }
            (JobKind::Deprovision, JobState::Queued) => Some(Self::TenantDeprovisioning),
            (JobKind::Deprovision, JobState::Succeeded) => Some(Self::TenantDeprovisioningSuccess),
            (JobKind::Deprovision, JobState::Failed | JobState::TimedOut) => {
                Some(Self::TenantDeprovisioningFailure)
            }
        }
    }
}

impl fmt::Display for EventType {
    /// As it stands in `detail-type`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
