use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Address, AddressId, AddressParts, AddressView, Audit, Contact, ContactDetails, Editable,
    Entity, Hostname, JobKind, JobRef, Lead, LeadId, LeadView, NewContact, Resource, TenantId,
    TenantKey, TenantStatus, Text, UserId, entity::wire_of, permit,
};
use crate::{Error, Result, entities};
use filter::Schema;
use schema::{FromJson, FromMembers, Members, Reader, Timestamp};

/// A tenant: a customer with pooled or siloed resources.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tenant {
    /// The tenant's ID.
    pub id: TenantId,
    /// The tenant's name.
    pub name: Text<1, 100>,
    /// The tenant's status.
    pub status: TenantStatus,
    /// The tenant's unique key.
    pub key: TenantKey,
    /// Email domains that belong to the tenant.
    pub domains: Vec<Hostname>,
    /// The lead that became the tenant.
    pub lead_id: Option<LeadId>,
    /// The ID of the user who administers the tenant.
    pub spoc_user_id: Option<Text<1, 100>>,
    /// The tenant's address.
    pub address: Option<Address>,
    /// The tenant's latest job, open or closed.
    pub latest_job: Option<JobRef>,
    /// The attempt number of the latest job that created resources, or `None` if there are no
    /// resources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built_by: Option<u32>,
    /// The attempt number of the latest job that removed all earlier resources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_by: Option<u32>,
    /// The audit fields of the tenant.
    #[serde(flatten)]
    pub audit: Audit,
}

/// The body of `POST /leads/{id}/tenants`.
#[derive(Clone, Debug)]
pub struct OnboardTenant {
    /// The tenant's unique key.
    pub key: TenantKey,
    /// Email domains that belong to the tenant.
    pub domains: Vec<Hostname>,
    /// The tenant's name. Defaults to the lead's company.
    pub name: Option<Text<1, 100>>,
    /// The tenant's address.
    pub address: AddressParts,
}

/// The body of `POST /tenants`.
#[derive(Clone, Debug)]
pub struct NewTenant {
    key: TenantKey,
    domains: Vec<Hostname>,
    name: Text<1, 100>,
    address: AddressParts,
    contact: ContactDetails,
}

/// The properties of a tenant that clients can change.
#[derive(Clone, Debug)]
pub struct TenantDetails {
    /// The tenant's name.
    pub name: Text<1, 100>,
    /// The tenant's unique key.
    pub key: TenantKey,
    /// Email domains that belong to the tenant.
    pub domains: Vec<Hostname>,
    /// The ID of the user who administers the tenant.
    pub spoc_user_id: Option<Text<1, 100>>,
}

/// A new tenant with its first contact, written in one transaction.
#[derive(Clone, Debug)]
pub struct Onboarding {
    /// The tenant, pending provisioning.
    pub tenant: Tenant,
    /// The tenant's first contact.
    pub contact: Contact,
}

/// The maximum number of domains of a tenant.
const MAX_DOMAINS: usize = 50;

/// The domains of a tenant: at least one, without duplicates.
struct Domains(Vec<Hostname>);

impl FromJson for Domains {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        if !at.at_most(value, MAX_DOMAINS) {
            return None;
        }
        let names = Vec::from_json(value, at)?;
        Hostname::check_list(&names, at);
        Some(Self(names))
    }

    fn schema() -> Value {
        let mut names = Vec::<Hostname>::schema();
        names["minItems"] = 1.into();
        names["maxItems"] = MAX_DOMAINS.into();
        names["uniqueItems"] = true.into();
        names
    }
}

impl FromMembers for OnboardTenant {
    fn from_members(members: &mut impl Members) -> Option<Self> {
        let (key, domains) = (members.required("key"), members.required("domains"));
        let name = members.optional("name");
        let address = AddressParts::read(members);
        let Domains(domains) = domains?;
        Some(Self { key: key?, domains, name, address })
    }
}

impl FromMembers for NewTenant {
    fn from_members(members: &mut impl Members) -> Option<Self> {
        let (key, domains) = (members.required("key"), members.required("domains"));
        let (name, contact) = (members.required("name"), members.required("contact"));
        let address = AddressParts::read(members);
        let Domains(domains) = domains?;
        Some(Self { key: key?, domains, name: name?, address, contact: contact? })
    }
}

impl FromMembers for TenantDetails {
    fn from_members(members: &mut impl Members) -> Option<Self> {
        let (name, key) = (members.required("name"), members.required("key"));
        let domains = members.required("domains");
        let spoc_user_id = members.optional("spocUserId");
        let Domains(domains) = domains?;
        Some(Self { name: name?, key: key?, domains, spoc_user_id })
    }
}

impl Entity for Tenant {
    const SCHEMA: &'static Schema = &entities::TENANT;
    type View = permit::ViewTenant;

    fn audit(&self) -> &Audit {
        &self.audit
    }

    fn wire(&self) -> Result<Map<String, Value>> {
        wire_of(&TenantView::from(self))
    }
}

impl Editable for Tenant {
    type Details = TenantDetails;
    type Update = permit::UpdateTenant;

    const READ_ONLY: &'static [&'static str] = &[
        "id",
        "status",
        "leadId",
        "addressId",
        "createdOn",
        "modifiedOn",
        "createdBy",
        "modifiedBy",
        "deleted",
        "deletedOn",
        "deletedBy",
    ];

    fn conflict(fixed: &str) -> Option<Error> {
        (fixed == "status").then_some(Error::StatusReadOnly)
    }

    fn edited(self, details: TenantDetails, now: Timestamp, by: &UserId) -> Self {
        let TenantDetails { name, key, domains, spoc_user_id } = details;
        let audit = self.audit.changed(now, by);
        Self { name, key, domains, spoc_user_id, audit, ..self }
    }

    fn audited(self, audit: Audit) -> Self {
        Self { audit, ..self }
    }
}

impl NewTenant {
    /// Creates the tenant and its first contact.
    ///
    /// # Errors
    ///
    /// [`Error::DomainMismatch`] if the contact's email is not at one of the domains.
    pub fn onboard(self, now: Timestamp, by: &UserId) -> Result<Onboarding> {
        let tenant = Tenant::pending(self.key, self.name, self.domains, now, by);
        let tenant = Tenant { address: self.address.into_address(), ..tenant };
        Onboarding::new(tenant, self.contact, now, by)
    }
}

impl Tenant {
    pub(super) fn pending(
        key: TenantKey,
        name: Text<1, 100>,
        domains: Vec<Hostname>,
        now: Timestamp,
        by: &UserId,
    ) -> Self {
        Self {
            id: TenantId::generate(),
            name,
            status: TenantStatus::PendingProvision,
            key,
            domains,
            lead_id: None,
            spoc_user_id: None,
            address: None,
            latest_job: None,
            built_by: None,
            removed_by: None,
            audit: Audit::created(now, by),
        }
    }

    /// Returns the tenant's status while a job of this `kind` is open.
    ///
    /// # Errors
    ///
    /// [`Error::IllegalTransition`] if the tenant's status does not allow such a job. A tenant
    /// whose provisioning failed can only be deprovisioned if a build reported resources.
    pub fn status_after_opening(&self, kind: JobKind) -> Result<TenantStatus> {
        let (from, transition) = (self.status, kind.opening());
        let failed = (from, kind) == (TenantStatus::ProvisionFailed, JobKind::Deprovision);
        if failed && self.built_by.is_none() {
            return Err(Error::IllegalTransition { from, transition });
        }
        from.after(transition)
    }

    /// Checks that the tenant may be deleted: it has neither an open job nor resources.
    ///
    /// # Errors
    ///
    /// [`Error::TenantBusy`] if a job is open, or [`Error::TenantHasResources`] if there are
    /// resources.
    pub fn check_deletable(&self) -> Result<()> {
        match self.status {
            TenantStatus::Provisioning | TenantStatus::Deprovisioning => {
                Err(Error::TenantBusy(self.status))
            }
            TenantStatus::Active => Err(Error::TenantHasResources),
            TenantStatus::PendingProvision
            | TenantStatus::ProvisionFailed
            | TenantStatus::Inactive => match self.built_by {
                Some(_) => Err(Error::TenantHasResources),
                None => Ok(()),
            },
        }
    }

    /// Returns whether the tenant's lead created the entity with this `audit`. The first contact
    /// does not count because it was created with the tenant.
    #[must_use]
    pub fn was_created_by_lead(&self, audit: &Audit) -> bool {
        let lead = self.lead_id.map(|lead| lead.to_string());
        lead == Some(audit.created_by.to_string()) && audit.created_on > self.audit.created_on
    }

    /// Returns whether `resource` still exists, according to the reports of jobs.
    #[must_use]
    pub fn has_resource(&self, resource: &Resource) -> bool {
        self.removed_by.is_none_or(|removed| resource.attempt > removed)
    }
}

impl Onboarding {
    /// Combines `tenant` and `contact`. The contact's email must be at one of the tenant's domains.
    pub(super) fn new(
        tenant: Tenant,
        contact: ContactDetails,
        now: Timestamp,
        by: &UserId,
    ) -> Result<Self> {
        let host = contact.email.host();
        if !tenant.domains.iter().any(|domain| domain.as_str() == host) {
            return Err(Error::DomainMismatch);
        }
        let contact = NewContact { details: contact, tenant_id: tenant.id };
        Ok(Self { contact: contact.create(now, by), tenant })
    }
}

/// A tenant on the wire, optionally with its relations.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantView<'a> {
    id: TenantId,
    name: &'a Text<1, 100>,
    status: TenantStatus,
    key: &'a TenantKey,
    spoc_user_id: Option<&'a Text<1, 100>>,
    domains: &'a [Hostname],
    lead_id: Option<LeadId>,
    address_id: Option<AddressId>,
    #[serde(flatten)]
    audit: &'a Audit,
    #[serde(flatten)]
    relations: Option<TenantRelations<'a>>,
}

#[derive(Debug, Serialize)]
struct TenantRelations<'a> {
    contacts: &'a [Contact],
    resources: &'a [Resource],
    lead: Option<LeadView<'a>>,
    address: Option<AddressView<'a>>,
}

impl<'a> From<&'a Tenant> for TenantView<'a> {
    fn from(tenant: &'a Tenant) -> Self {
        Self {
            id: tenant.id,
            name: &tenant.name,
            status: tenant.status,
            key: &tenant.key,
            spoc_user_id: tenant.spoc_user_id.as_ref(),
            domains: &tenant.domains,
            lead_id: tenant.lead_id,
            address_id: tenant.address.as_ref().map(|address| address.id),
            audit: &tenant.audit,
            relations: None,
        }
    }
}

impl<'a> TenantView<'a> {
    /// Creates the view of a new tenant with all its relations, as ARC SaaS answers a creation.
    #[must_use]
    pub fn onboarded(onboarding: &'a Onboarding, lead: Option<&'a Lead>) -> Self {
        let Onboarding { tenant, contact } = onboarding;
        let address = tenant.address.as_ref();
        let relations = TenantRelations {
            contacts: std::slice::from_ref(contact),
            resources: &[],
            lead: lead.map(LeadView::from),
            address: address.map(|address| AddressView::new(address, &tenant.audit)),
        };
        Self { relations: Some(relations), ..Self::from(tenant) }
    }
}
