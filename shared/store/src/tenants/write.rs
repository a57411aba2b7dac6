use crate::{
    Store,
    subscriptions::timers::TimerItem,
    table::{item::Stored, key::Key, transaction::Transaction, update::Update},
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
        let Stored { item, version } = before;
        let is_renamed = item.key != after.key;
        if !is_renamed && !is_retimed(item, after) {
            return self.replace(after, *version).await;
        }
        let mut writes = self.transaction().replace_tenant(before, after)?;
        if is_renamed {
            self.must_not_be_reserved(&after.key)?;
            // The claim on the old key stays, because keys are never released.
            let claim = owned_by(after.id, "tenant-key");
            let taken = Error::TenantKeyTaken(after.key.clone());
            writes =
                writes.reclaim(Key::tenant_key(&after.key), claim, after.id.to_string(), taken)?;
        }
        writes.commit().await
    }
}

impl Transaction<'_> {
    /// Replaces the tenant `before` with `after`, but no claim on its key. Sets the timer that deprovisions
    /// it, or deletes the one that it no longer has.
    pub(crate) fn replace_tenant(self, before: &Stored<Tenant>, after: &Tenant) -> Result<Self> {
        let Stored { item, version } = before;
        let writes = self.replace(after, *version, Error::Stale)?;
        if !is_retimed(item, after) {
            return Ok(writes);
        }
        match (item.deprovisioning_timer(0), after.deprovisioning_timer(version + 1)) {
            (_, Some(timer)) => writes.put_any(&TimerItem::of_tenant(&timer, after.id)),
            (Some(timer), None) => writes.delete_any(Key::timer(timer.subject, timer.action)),
            (None, None) => Ok(writes),
        }
    }
}

/// Returns whether the time changes at which a tenant is deprovisioned.
fn is_retimed(before: &Tenant, after: &Tenant) -> bool {
    let at = |tenant: &Tenant| tenant.deprovisioning_timer(0).map(|timer| timer.at);
    at(before) != at(after)
}
