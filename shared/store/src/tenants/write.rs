use crate::{
    Store,
    table::{item::Stored, key::Key, update::Update},
    tenants::owner::owned_by,
};
use domain::{ChildKind, Error, Onboarding, Result, Tenant, TenantKey};

impl Store {
    /// Writes a tenant and its first contact, claims the tenant's key, and marks its lead as
    /// converted, in one transaction.
    ///
    /// # Errors
    ///
    /// [`Error::LeadAlreadyConverted`] if the lead already has a tenant; [`Error::TenantKeyTaken`]
    /// or [`Error::TenantKeyReserved`] if the key is not available.
    #[tracing::instrument(skip_all, fields(tenant.id = %onboarding.tenant.id))]
    pub async fn onboard(&self, onboarding: &Onboarding) -> Result<()> {
        let Onboarding { tenant, contact } = onboarding;
        self.must_not_be_reserved(&tenant.key)?;
        let mut writes = self.transaction();
        // The lead comes first, because the first failed condition determines the error.
        if let Some(lead) = tenant.lead_id {
            let converted = Update::when(
                "isValidated = :yes AND deleted = :no AND attribute_not_exists(tenantId)",
            )
            .given("yes", true)
            .given("no", false)
            .set("tenantId", "tenant", tenant.id)
            .set("modifiedOn", "now", tenant.audit.created_on)
            .set("modifiedBy", "by", &tenant.audit.created_by);
            writes = writes.update(Key::lead(lead), converted, Error::LeadAlreadyConverted)?;
        }
        let taken = Error::TenantKeyTaken(tenant.key.clone());
        writes
            .claim(Key::tenant_key(&tenant.key), owned_by(tenant.id, "tenant-key"), taken)?
            .insert(tenant)?
            .insert(contact)?
            .put_auxiliary(
                Key::owner(ChildKind::Contact, contact.id),
                owned_by(tenant.id, "owner"),
            )?
            .commit()
            .await
    }

    fn must_not_be_reserved(&self, key: &TenantKey) -> Result<()> {
        let reserved = self.reserved.contains(key);
        if reserved { Err(Error::TenantKeyReserved(key.clone())) } else { Ok(()) }
    }

    /// Replaces the tenant `before` with `after`.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the tenant has changed in the meantime; [`Error::TenantKeyTaken`] or
    /// [`Error::TenantKeyReserved`] if the key changes to one that is not available.
    #[tracing::instrument(skip_all, fields(tenant.id = %after.id))]
    pub async fn replace_tenant(&self, before: &Stored<Tenant>, after: &Tenant) -> Result<()> {
        self.invalidating(after.id, self.write_over(before, after)).await
    }

    async fn write_over(&self, before: &Stored<Tenant>, after: &Tenant) -> Result<()> {
        if before.item.key == after.key {
            return self.replace(after, before.version).await;
        }
        self.must_not_be_reserved(&after.key)?;
        // The claim on the old key stays, because keys are never released.
        let claim = owned_by(after.id, "tenant-key");
        let taken = Error::TenantKeyTaken(after.key.clone());
        self.transaction()
            .replace(after, before.version, Error::Stale)?
            .reclaim(Key::tenant_key(&after.key), claim, after.id.to_string(), taken)?
            .commit()
            .await
    }
}
