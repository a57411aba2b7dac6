use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    Found, IndexKey, Item, Key, Listed, Store, Stored, TOTAL, Writable,
    changes::Changes,
    children::Owner,
    item::{Attributes, decode_all},
    of_status,
};
use crate::cache::Held;
use domain::{
    ChildKind, Contact, Error, Lead, LeadId, Onboarding, Result, Tenant, TenantId, TenantKey,
};
use filter::Where;
use schema::read;

impl Item for Tenant {
    const KIND: &'static str = "tenant";

    fn key(&self) -> Key {
        Key::tenant(self.id)
    }

    fn indexes(&self) -> Vec<IndexKey> {
        let order = self.audit.created_on;
        let status = IndexKey::tenants_of_status(self.status.number());
        vec![
            IndexKey::listed(Self::KIND, order, self.id),
            IndexKey::narrowed(status, order, self.id),
        ]
    }
}

impl Listed for Tenant {
    type Id = TenantId;

    fn id(&self) -> TenantId {
        self.id
    }

    async fn by_ids(store: &Store, ids: Vec<TenantId>) -> Result<Vec<Stored<Self>>> {
        let keys: Vec<_> = ids.into_iter().map(Key::tenant).collect();
        decode_all(store.get_all(&keys).await?)
    }

    async fn named(store: &Store, conditions: &Where) -> Result<Option<Vec<Found<Self>>>> {
        if let Some(key) = conditions.equals("key") {
            let id = match read(&key) {
                Ok(key) => store.tenant_id_of_key(&key).await?,
                Err(_) => None,
            };
            let found = Self::by_ids(store, id.into_iter().collect()).await?;
            return Found::all(found).map(Some);
        }
        let lead = conditions.equals("leadId").and_then(|id| id.as_str()?.parse().ok());
        match lead {
            Some(lead) => Self::of_lead(store, lead, conditions).await.map(Some),
            None => Ok(None),
        }
    }

    async fn one(store: &Store, id: TenantId) -> Result<(Stored<Self>, Option<LeadId>)> {
        let tenant = store.stored_tenant(id).await?;
        let lead = tenant.item.lead_id;
        Ok((tenant, lead))
    }

    async fn of_lead(store: &Store, lead: LeadId, _: &Where) -> Result<Vec<Found<Self>>> {
        let leads = Lead::by_ids(store, vec![lead]).await?;
        let tenants = leads.into_iter().filter_map(|lead| lead.item.tenant_id);
        Found::all(Self::by_ids(store, tenants.collect()).await?)
    }

    async fn to_show(store: &Store, id: TenantId) -> Result<(Stored<Self>, Option<LeadId>)> {
        let tenant = store.tenant_to_show(id).await?;
        let lead = tenant.item.lead_id;
        Ok((tenant, lead))
    }

    fn partition(conditions: &Where) -> (&'static str, String) {
        match status(conditions) {
            Some(status) => ("gsi2", IndexKey::tenants_of_status(status)),
            None => ("gsi1", IndexKey::list_of(Self::KIND)),
        }
    }

    fn counted(conditions: &Where) -> Option<String> {
        if conditions.is_everything() {
            return Some(TOTAL.to_owned());
        }
        status(conditions).filter(|_| conditions.is_one_equality()).map(of_status)
    }
}

/// Returns the status that all matching tenants have, or `None` if `conditions` do not fix it.
fn status(conditions: &Where) -> Option<u8> {
    conditions.equals("status")?.as_u64()?.try_into().ok()
}

impl Writable for Tenant {
    async fn write(store: &Store, before: &Stored<Self>, after: &Self) -> Result<()> {
        store.replace_tenant(before, after).await
    }

    fn claims_anew(before: &Self, after: &Self) -> bool {
        before.key != after.key
    }
}

impl Store {
    /// Returns the tenant with this ID, strongly consistent.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such tenant or it was deleted.
    #[tracing::instrument(skip_all, fields(tenant.id = %id))]
    pub async fn tenant(&self, id: TenantId) -> Result<Tenant> {
        let tenant: Option<Tenant> = self.get(Key::tenant(id)).await?;
        tenant.filter(|tenant| !tenant.audit.deleted).ok_or_else(|| Error::not_found(id))
    }

    /// Returns the tenant with this ID and its contacts, in one read.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such tenant or it was deleted.
    #[tracing::instrument(skip_all, fields(tenant.id = %id))]
    pub async fn tenant_with_contacts(&self, id: TenantId) -> Result<(Tenant, Vec<Contact>)> {
        self.tenant_with(id, Key::children(ChildKind::Contact)).await
    }

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
            let converted = Changes::when(
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
            .place(Key::owner(ChildKind::Contact, contact.id), owned_by(tenant.id, "owner"))?
            .commit()
            .await
    }

    /// Returns the tenant with this ID and its version, strongly consistent.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such tenant or it was deleted.
    pub async fn stored_tenant(&self, id: TenantId) -> Result<Stored<Tenant>> {
        let tenant = self.get_living(Key::tenant(id)).await?;
        tenant.ok_or_else(|| Error::not_found(id))
    }

    /// Returns the ID of the tenant that has claimed this key, from the cache if present.
    ///
    /// # Errors
    ///
    /// [`Error::Aws`] if the claim cannot be read.
    pub async fn tenant_id_of_key(&self, key: &TenantKey) -> Result<Option<TenantId>> {
        let owner = self.get::<Owner>(Key::tenant_key(key));
        let id = async { Ok(owner.await?.map(|owner| owner.tenant_id)) };
        self.held(Held::TenantKey(key), Box::pin(id)).await
    }

    /// Returns whether a new tenant may take this key. Reserved keys are recognised without a read.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the claim of the key cannot be read.
    pub async fn key_state(&self, key: &TenantKey) -> Result<KeyState> {
        if self.reserved.contains(key) {
            return Ok(KeyState::Reserved);
        }
        let holder = self.tenant_id_of_key(key).await?;
        Ok(if holder.is_some() { KeyState::Taken } else { KeyState::Free })
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
        self.forgetting(after.id, self.write_over(before, after)).await
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
            .claim_again(Key::tenant_key(&after.key), claim, after.id.to_string(), taken)?
            .commit()
            .await
    }
}

/// Whether a tenant key is available.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// The key is available.
    Free,
    /// Another tenant has the key, or had it.
    Taken,
    /// The key is reserved, and no tenant may take it.
    Reserved,
}

/// Returns the attributes of an item that only names a tenant.
pub(super) fn owned_by(tenant: TenantId, kind: &str) -> Attributes {
    [
        ("entity".into(), AttributeValue::S(kind.into())),
        ("tenantId".into(), AttributeValue::S(tenant.to_string())),
    ]
    .into()
}
