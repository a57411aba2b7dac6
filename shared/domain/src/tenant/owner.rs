use crate::refusal::{Allowed, Refusal, allow_if};
use crate::{LeadId, Tenant, TenantStatus};

/// The lead and the tenant to which an entity belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EntityOwner {
    /// The lead, or `None` if only operators may see the entity.
    pub lead: Option<LeadId>,
    /// The status of the tenant, or `None` if the entity belongs to no tenant.
    pub tenant: Option<TenantStatus>,
}

impl EntityOwner {
    /// Checks that the lead may change something.
    ///
    /// # Errors
    ///
    /// [`Refusal::TenantSuspended`] if the tenant is suspended.
    pub fn check_changeable_by_lead(self) -> Allowed {
        allow_if(self.tenant != Some(TenantStatus::Suspended), Refusal::TenantSuspended)
    }
}

impl From<&Tenant> for EntityOwner {
    fn from(tenant: &Tenant) -> Self {
        Self { lead: tenant.lead_id, tenant: Some(tenant.status) }
    }
}

impl From<LeadId> for EntityOwner {
    fn from(lead: LeadId) -> Self {
        Self { lead: Some(lead), tenant: None }
    }
}
