mod bodies;
mod key;
mod owner;
mod reserved_keys;
mod resource;
mod status;
mod suspension;
mod view;

pub use bodies::{NewTenant, OnboardTenant, Onboarding, TenantDetails};
pub use key::TenantKey;
pub use owner::EntityOwner;
pub use reserved_keys::ReservedKeys;
pub use resource::{NewResource, Resource};
pub use status::{TenantStatus, Transition};
pub use suspension::{NewSuspension, Retention, Standing, Suspension, SuspensionReason};
pub use view::TenantView;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Address, Audit, Editable, Entity, Hostname, Isolation, JobKind, JobRef, LeadId, PlanTerms,
    Previous, ResourceId, TenantId, Text, Tiers, UserId, entity::wire_of, permit,
};
use crate::{Error, Result, entities};
use filter::Schema;
use schema::Timestamp;

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
    /// The tier of the plan that the tenant was last provisioned for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Text<1, 100>>,
    /// Whether the tenant was last provisioned with dedicated or shared resources. `None` in older
    /// items, which follow their tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Isolation>,
    /// The tenant's latest job, open or closed.
    pub latest_job: Option<JobRef>,
    /// The attempt number of the latest job that created resources, or `None` if there are no
    /// resources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built_by: Option<u32>,
    /// The attempt number of the latest job that removed all earlier resources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_by: Option<u32>,
    /// The attempt number of the latest job that wrote a batch of resources before it closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staged_by: Option<u32>,
    /// The batches of resources that jobs have reported since the last removal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub batches: Vec<String>,
    /// Why the tenant is suspended. Kept while a suspended tenant is deprovisioned, in case that fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspension: Option<Suspension>,
    /// The resources that the tenant had before it was moved, until they are retired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,
    /// The audit fields of the tenant.
    #[serde(flatten)]
    pub audit: Audit,
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
        "tier",
        "suspension",
        "previous",
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

    fn details(&self) -> TenantDetails {
        TenantDetails {
            name: self.name.clone(),
            key: self.key.clone(),
            domains: self.domains.clone(),
            spoc_user_id: self.spoc_user_id.clone(),
            address: self.address.as_ref().map(|address| address.parts.clone()),
        }
    }

    fn edited(self, details: TenantDetails, now: Timestamp, by: &UserId) -> Self {
        let TenantDetails { name, key, domains, spoc_user_id, address } = details;
        let address = match address {
            Some(parts) => parts.replacing(self.address.as_ref()),
            None => self.address,
        };
        let audit = self.audit.changed(now, by);
        Self { name, key, domains, spoc_user_id, address, audit, ..self }
    }

    fn audited(self, audit: Audit) -> Self {
        Self { audit, ..self }
    }
}

impl Tenant {
    pub(crate) fn pending(
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
            tier: None,
            isolation: None,
            latest_job: None,
            built_by: None,
            removed_by: None,
            staged_by: None,
            batches: Vec::new(),
            suspension: None,
            previous: None,
            audit: Audit::created(now, by),
        }
    }

    /// Returns whether the tenant's resources are those of a plan.
    #[must_use]
    pub fn is_placed_for(&self, plan: &PlanTerms, tiers: &Tiers) -> bool {
        self.tier.as_ref().is_some_and(|tier| {
            let isolation = self.isolation.unwrap_or_else(|| tiers.isolation(tier.as_str()));
            plan.is_placed(tier.as_str(), isolation)
        })
    }

    /// Returns the tenant's status while a job of this `kind` is open.
    ///
    /// # Errors
    ///
    /// [`Error::IllegalTransition`] if the tenant's status does not allow such a job. A tenant
    /// whose provisioning failed can only be deprovisioned if a build reported resources.
    /// [`Error::Refused`] if a job is open while the tenant is in use, if a tenant to move is neither
    /// active nor that of a customer who returns, or if there is nothing to retire.
    pub fn status_after_opening(&self, kind: JobKind) -> Result<TenantStatus> {
        let from = self.status;
        let Some(transition) = kind.opening() else {
            match kind {
                JobKind::Retire => self.check_retirable().map(|_| ())?,
                _ => self.standing().check_movable_for_return()?,
            }
            return Ok(from);
        };
        let failed = (from, kind) == (TenantStatus::ProvisionFailed, JobKind::Deprovision);
        if failed && self.built_by.is_none() {
            return Err(Error::IllegalTransition { from, transition });
        }
        let status = from.after(transition)?;
        self.standing().check_no_job()?;
        Ok(status)
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
            TenantStatus::Active | TenantStatus::Suspended => Err(Error::TenantHasResources),
            TenantStatus::PendingProvision
            | TenantStatus::ProvisionFailed
            | TenantStatus::Inactive => match (self.built_by, &self.previous) {
                (None, None) => Ok(()),
                _ => Err(Error::TenantHasResources),
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

    /// Returns whether `resource` exists, according to the reports of jobs.
    #[must_use]
    pub fn has_resource(&self, resource: &Resource) -> bool {
        self.keeps(resource)
            && resource.batch.as_ref().is_none_or(|batch| self.batches.contains(batch))
    }

    /// Returns whether no job has removed `resource`.
    fn keeps(&self, resource: &Resource) -> bool {
        self.removed_by.is_none_or(|removed| resource.attempt > removed)
    }

    /// Returns the resources that can be deleted from the table: the batches that closed jobs have
    /// abandoned, and resources that a later attempt has reported again.
    #[must_use]
    pub fn obsolete_resources(&self, resources: &[Resource]) -> Vec<ResourceId> {
        let open = self.latest_job.as_ref().filter(|job| job.outcome.is_none());
        let is_open = |resource: &Resource| open.is_some_and(|job| job.attempt == resource.attempt);
        let (existing, others): (Vec<_>, Vec<_>) =
            resources.iter().partition(|resource| self.has_resource(resource));
        let mut latest = HashMap::new();
        for resource in &existing {
            let age = (resource.attempt, resource.id);
            let newest = latest.entry(resource.name()).or_insert(age);
            *newest = age.max(*newest);
        }
        let abandoned = others.into_iter().filter(|other| self.keeps(other) && !is_open(other));
        let repeated = existing.iter().copied();
        let repeated = repeated.filter(|one| latest[&one.name()].1 != one.id);
        abandoned.chain(repeated).map(|resource| resource.id).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests;
