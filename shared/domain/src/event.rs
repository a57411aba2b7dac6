use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    Address, Contact, Email, Entitlement, Entity, Error, EventType, FeatureKey, Grants, Hostname,
    IdentityProvider, Isolation, Job, JobId, JobKind, JobState, Lead, LeadId, LeadLink, Placement,
    PlanId, Result, Subscription, SubscriptionId, Suspension, SuspensionReason, Tenant, TenantId,
    TenantKey, TenantStatus, Text, values::openable,
};
use filter::Wire;
use schema::Timestamp;

/// The `detail` of an event. It contains no secrets. Consumers ignore events with an `id` that they
/// have already seen.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The version of the event format: 1.
    pub version: u8,
    /// The ID and the new version of the changed lead, job or tenant, `<id>#<version>`. For a
    /// subscription, `<id>#<version>#<type>`; for features, `<tenant>#entitlements#<version>`.
    pub id: String,
    /// When the change happened.
    pub time: Timestamp,
    /// The ID of the API request that caused the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The lead, in `LEAD_CREATED` and `LEAD_LINK_REQUESTED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<EventLead>,
    /// The tenant as it was when the job was opened, or after its suspension began or ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<EventTenant>,
    /// The features that a tenant may use from then on, in `ENTITLEMENTS_CHANGED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entitlements: Option<EventEntitlements>,
    /// The subscription: as the client sent it in events of jobs, and as an answer shows it in events of
    /// subscriptions.
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
    /// The lead's ID.
    pub id: LeadId,
    /// First name.
    pub first_name: Text<1, 100>,
    /// Last name.
    pub last_name: Text<1, 100>,
    /// Name of the company.
    pub company_name: Text<1, 100>,
    /// Recipient of the verification email.
    pub email: Email,
    /// The company's address.
    pub address: Option<Address>,
    /// Whether to send no verification email because the mailbox has reached its daily limit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unmailed: bool,
    /// The link to send, in `LEAD_LINK_REQUESTED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<LeadLink>,
}

/// A tenant in an event and in a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventTenant {
    /// The tenant's ID.
    pub id: TenantId,
    /// The tenant's unique key.
    pub key: TenantKey,
    /// The tenant's name.
    pub name: Text<1, 100>,
    /// The tenant's status: while the job is open, or after its suspension began or ended.
    pub status: TenantStatus,
    /// Email domains that belong to the tenant.
    pub domains: Vec<Hostname>,
    /// The lead that became the tenant.
    pub lead_id: Option<LeadId>,
    /// The tenant's address.
    pub address: Option<Address>,
    /// The suspension of the tenant. Also set while a suspended tenant is deprovisioned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspension: Option<EventSuspension>,
    /// The tenant's contacts, the primary contact first. At most 50 contacts and 65,536 bytes of
    /// JSON. None in events that no job causes.
    pub contacts: Vec<Contact>,
}

/// The features of a tenant in an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventEntitlements {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The plan, or `None` without a subscription in use.
    pub plan_id: Option<PlanId>,
    /// The features by key.
    pub features: BTreeMap<FeatureKey, Entitlement>,
}

/// The IDs that find the subscription of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionKey {
    /// The subscription.
    pub id: SubscriptionId,
    /// Its tenant.
    pub tenant_id: TenantId,
}

/// The suspension of a tenant in an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventSuspension {
    /// Why the tenant is suspended.
    pub reason: SuspensionReason,
    /// When the tenant was suspended for this reason.
    pub since: Timestamp,
    /// When a job removes the tenant's resources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprovision_on: Option<Timestamp>,
}

impl From<&Suspension> for EventSuspension {
    fn from(suspension: &Suspension) -> Self {
        let Suspension { reason, since, deprovision_on, .. } = *suspension;
        Self { reason, since, deprovision_on }
    }
}

/// The maximum number of a tenant's contacts in a job and its events.
const MAX_CONTACTS: usize = 50;

/// The maximum size of these contacts in bytes of JSON, which is larger than their size in an item.
const MAX_CONTACT_BYTES: usize = 64 * 1024;

/// A job in an event.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventJob {
    /// The job's ID.
    pub id: JobId,
    /// The number of the attempt, starting at 1 for the tenant's first job.
    pub attempt: u32,
    /// The kind of the job.
    pub kind: JobKind,
    /// The tier of the tenant's plan.
    pub tier: Text<1, 100>,
    /// Whether the tenant is siloed or pooled, which selects the pipeline.
    pub isolation: Isolation,
    /// The job's state.
    pub state: JobState,
    /// The identity provider at which the tenant is set up after the build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_provider: Option<IdentityProvider>,
    /// The tier and isolation before a move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Placement>,
    /// The tier and isolation after a move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Placement>,
    /// Why the job failed.
    pub reason: Option<String>,
    /// URL of the tenant's application, or any other text that its build reported in its place.
    pub app_plane_url: Option<String>,
}

impl EventJob {
    /// Returns the URL of the tenant's application if it is one that a person can open.
    #[must_use]
    pub fn link(&self) -> Option<&str> {
        openable(self.app_plane_url.as_deref())
    }
}

impl Event {
    /// Creates an event that says nothing yet.
    fn new(id: String, time: Timestamp, request_id: Option<String>) -> Self {
        Self {
            version: 1,
            id,
            time,
            request_id,
            lead: None,
            tenant: None,
            entitlements: None,
            subscription: None,
            job: None,
        }
    }

    /// Creates the event for a new lead, or for one that asked for another link. `request_id` names
    /// the request that did so.
    #[must_use]
    pub fn for_lead(lead: Lead, version: u64, request_id: Option<String>) -> Self {
        let id = format!("{}#{version}", lead.id);
        let time = lead.link.as_ref().map_or(lead.audit.modified_on, |link| link.issued_on);
        Self { lead: Some(lead.into()), ..Self::new(id, time, request_id) }
    }

    /// Creates the event for a tenant whose features changed. `request_id` names the request that did so.
    #[must_use]
    pub fn for_entitlements(grants: &Grants, version: u64, request_id: Option<String>) -> Self {
        let id = format!("{}#entitlements#{version}", grants.id);
        let entitlements = EventEntitlements {
            tenant_id: grants.id,
            plan_id: grants.plan.as_ref().map(|plan| plan.plan_id),
            features: grants.features(),
        };
        let entitlements = Some(entitlements);
        Self { entitlements, ..Self::new(id, grants.modified_on, request_id) }
    }

    /// Creates the event for a tenant whose suspension began or ended. `request_id` names the request that
    /// did so.
    #[must_use]
    pub fn for_tenant(tenant: &Tenant, version: u64, request_id: Option<String>) -> Self {
        let id = format!("{}#{version}", tenant.id);
        let shown = Some(EventTenant::new(tenant, tenant.status, Vec::new()));
        Self { tenant: shown, ..Self::new(id, tenant.audit.modified_on, request_id) }
    }

    /// Creates an event for a subscription that has this `version`. `request_id` names the request that
    /// caused it. A version may cause several events, so the ID also names the type.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the subscription cannot be serialized.
    pub fn for_subscription(
        kind: EventType,
        subscription: &Subscription,
        version: u64,
        request_id: Option<String>,
    ) -> Result<Self> {
        let wire = subscription.wire()?;
        let json = to_raw_value(&Wire::new(Subscription::SCHEMA, &wire));
        let json = Some(json.map_err(Error::internal("writing an event"))?);
        let id = format!("{}#{version}#{kind}", subscription.id);
        let time = subscription.audit.modified_on;
        Ok(Self { subscription: json, ..Self::new(id, time, request_id) })
    }

    /// Returns the IDs of the subscription, if this is an event of a subscription.
    ///
    /// # Errors
    ///
    /// A permanent error if they cannot be read.
    pub fn subscription_key(&self) -> Result<Option<SubscriptionKey>> {
        let Some(json) = self.subscription.as_ref().filter(|_| self.job.is_none()) else {
            return Ok(None);
        };
        let key = serde_json::from_str(json.get());
        key.map(Some).map_err(Error::permanent("reading the subscription of an event"))
    }

    /// Creates the event for a job that was opened or closed, or sets up an identity. `request_id` names
    /// the request that did so.
    #[must_use]
    pub fn for_job(job: Job, version: u64, request_id: Option<String>) -> Self {
        let (from, to) = job.moves.map(|moves| (moves.from, moves.to)).unzip();
        let id = format!("{}#{version}", job.id);
        Self {
            subscription: Some(job.subscription.raw().to_owned()),
            tenant: Some(job.tenant),
            job: Some(EventJob {
                id: job.id,
                attempt: job.attempt,
                kind: job.kind,
                tier: job.tier,
                isolation: job.isolation,
                state: job.state,
                identity_provider: job.identity_provider,
                from,
                to,
                reason: job.reason,
                app_plane_url: job.app_plane_url,
            }),
            ..Self::new(id, job.audit.modified_on, request_id)
        }
    }
}

impl From<Lead> for EventLead {
    fn from(lead: Lead) -> Self {
        Self {
            id: lead.id,
            first_name: lead.first_name,
            last_name: lead.last_name,
            company_name: lead.company_name,
            email: lead.email,
            address: lead.address,
            unmailed: lead.unmailed,
            link: lead.link,
        }
    }
}

impl EventTenant {
    /// Creates a copy of `tenant` with this `status` and as many of its contacts as a job may
    /// contain.
    #[must_use]
    pub fn new(tenant: &Tenant, status: TenantStatus, mut contacts: Vec<Contact>) -> Self {
        contacts.sort_by_key(|contact| !contact.details.is_primary);
        let mut bytes = 0;
        contacts.retain(|contact| {
            let json = serde_json::to_string(contact).unwrap_or_default();
            bytes += json.len();
            bytes <= MAX_CONTACT_BYTES
        });
        contacts.truncate(MAX_CONTACTS);
        Self {
            id: tenant.id,
            key: tenant.key.clone(),
            name: tenant.name.clone(),
            status,
            domains: tenant.domains.clone(),
            lead_id: tenant.lead_id,
            address: tenant.address.clone(),
            suspension: tenant.suspension.as_ref().map(EventSuspension::from),
            contacts,
        }
    }

    /// Returns the primary contact, or the first contact if none is primary.
    #[must_use]
    pub fn primary_contact(&self) -> Option<&Contact> {
        self.contacts
            .iter()
            .find(|contact| contact.details.is_primary)
            .or_else(|| self.contacts.first())
    }
}
