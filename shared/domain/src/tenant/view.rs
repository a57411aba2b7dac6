use serde::Serialize;

use crate::{
    AddressId, AddressView, Audit, Contact, Hostname, Lead, LeadId, LeadView, Onboarding, Previous,
    Resource, Suspension, SuspensionReason, Tenant, TenantId, TenantKey, TenantStatus, Text,
    UserId,
};
use schema::Timestamp;

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
    tier: Option<&'a Text<1, 100>>,
    suspension: Option<SuspensionView<'a>>,
    previous: Option<&'a Previous>,
    #[serde(flatten)]
    audit: &'a Audit,
    #[serde(flatten)]
    relations: Option<TenantRelations<'a>>,
}

/// A suspension on the wire.
#[derive(Debug, Serialize)]
struct SuspensionView<'a> {
    reason: SuspensionReason,
    note: Option<&'a Text<0, 1000>>,
    since: Timestamp,
    by: &'a UserId,
    #[serde(rename = "deprovisionOn")]
    deprovision_on: Option<Timestamp>,
}

impl<'a> From<&'a Suspension> for SuspensionView<'a> {
    fn from(suspension: &'a Suspension) -> Self {
        let Suspension { reason, note, since, by, deprovision_on } = suspension;
        let (reason, since, deprovision_on) = (*reason, *since, *deprovision_on);
        Self { reason, note: note.as_ref(), since, by, deprovision_on }
    }
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
            tier: tenant.tier.as_ref(),
            suspension: tenant.suspension.as_ref().map(SuspensionView::from),
            previous: tenant.previous.as_ref(),
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
