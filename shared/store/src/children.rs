use std::collections::HashSet;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Deserialize;

use super::{
    Found, IndexKey, Item, Key, Listed, Store, Stored, Writable,
    item::{Attributes, decode, decode_all, decode_living, kind_of},
    seen::Held,
};
use domain::{Child, Details, Editable, Error, LeadId, Resource, Result, Tenant, TenantId, UserId};
use filter::Where;
use schema::Timestamp;

/// Maximum number of tenants whose children a list reads tenant by tenant, with two calls each.
const MOST_TENANTS: usize = 50;

impl<D: Details> Item for Child<D> {
    const KIND: &'static str = D::KIND.noun();

    fn key(&self) -> Key {
        Key::child(D::KIND, self.tenant_id, self.id)
    }

    fn indexes(&self) -> Vec<IndexKey> {
        vec![IndexKey::listed(Self::KIND, self.audit.created_on, self.id)]
    }
}

impl<D: Details> Listed for Child<D> {
    type Id = D::Id;

    fn id(&self) -> D::Id {
        self.id
    }

    async fn by_ids(store: &Store, ids: Vec<D::Id>) -> Result<Vec<Stored<Self>>> {
        store.children(ids).await
    }

    async fn named(store: &Store, conditions: &Where) -> Result<Option<Vec<Found<Self>>>> {
        let Some(tenants) = conditions.one_of("tenantId") else { return Ok(None) };
        // For more tenants, one read of the index is cheaper.
        if tenants.len() > MOST_TENANTS {
            return Ok(None);
        }
        let mut held = Held::default();
        for tenant in tenants.iter().filter_map(|id| id.as_str()?.parse().ok()) {
            for child in store.children_of(tenant, conditions).await? {
                held.add(child)?;
            }
        }
        Ok(Some(held.into_found()))
    }

    async fn one(store: &Store, id: D::Id) -> Result<(Stored<Self>, Option<LeadId>)> {
        let (child, tenant) = store.child(id).await?;
        Ok((child, tenant.lead_id))
    }

    async fn of_lead(store: &Store, lead: LeadId, conditions: &Where) -> Result<Vec<Found<Self>>> {
        match Tenant::of_lead(store, lead, &Where::default()).await?.pop() {
            Some(tenant) => store.children_of(tenant.stored.item.id, conditions).await,
            None => Ok(Vec::new()),
        }
    }

    fn partition(_: &Where) -> (&'static str, String) {
        ("gsi1", IndexKey::list_of(Self::KIND))
    }
}

impl<D: Details> Writable for Child<D> {
    async fn write(store: &Store, before: &Stored<Self>, after: &Self) -> Result<()> {
        store.replace_child(before, after).await
    }

    fn claims_anew(before: &Self, after: &Self) -> bool {
        before.details.unique() != after.details.unique()
    }
}

impl Item for Resource {
    const KIND: &'static str = "resource";

    fn key(&self) -> Key {
        Key::resource(self.tenant_id, self.id)
    }
}

/// The item that names the tenant of a child or of a tenant key.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Owner {
    pub(super) tenant_id: TenantId,
}

impl Store {
    /// Returns the child with this ID and its tenant. Takes two consecutive reads: the owner, then
    /// the child and the tenant together.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such child, or if it or its tenant was deleted.
    pub async fn child<D: Details>(&self, id: D::Id) -> Result<(Stored<Child<D>>, Tenant)> {
        let none = || Error::not_found(id);
        let owner: Option<Owner> = self.get(Key::owner(D::KIND, id)).await?;
        let Owner { tenant_id } = owner.ok_or_else(none)?;
        let both = [Key::child(D::KIND, tenant_id, id), Key::tenant(tenant_id)];
        let (mut child, mut tenant) = (None, None);
        for item in self.get_all(&both).await? {
            if kind_of(&item) == Some(Tenant::KIND) {
                tenant = decode_living::<Tenant>(item)?;
            } else {
                child = decode_living(item)?;
            }
        }
        let found = child.zip(tenant).map(|(child, tenant)| (child, tenant.item));
        found.ok_or_else(none)
    }

    /// Returns the children with these IDs. Skips children that are missing or deleted, and those
    /// of deleted tenants.
    pub(super) async fn children<D: Details>(
        &self,
        ids: Vec<D::Id>,
    ) -> Result<Vec<Stored<Child<D>>>> {
        let owners: Vec<_> = ids.into_iter().map(|id| Key::owner(D::KIND, id)).collect();
        let (mut children, mut tenants) = (Vec::new(), HashSet::new());
        for owner in self.get_all(&owners).await? {
            let key = Key::of_item(&owner);
            let Owner { tenant_id } = decode(owner)?;
            children.extend(
                key.as_ref().and_then(Key::owned).map(|id| Key::child(D::KIND, tenant_id, id)),
            );
            tenants.insert(tenant_id);
        }
        let tenants: Vec<_> = tenants.into_iter().map(Key::tenant).collect();
        let (children, tenants) =
            tokio::try_join!(self.get_all(&children), self.get_all(&tenants))?;
        let tenants = decode_all::<Tenant>(tenants)?.into_iter().map(|tenant| tenant.item.id);
        let (tenants, mut children): (HashSet<_>, Vec<_>) =
            (tenants.collect(), decode_all(children)?);
        children.retain(|child: &Stored<Child<D>>| tenants.contains(&child.item.tenant_id));
        Ok(children)
    }

    /// Writes a new child. If `lead` is given, the child counts towards the lead's quota.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such tenant or it was deleted; [`Error::Invalid`] if the
    /// lead's quota is used up; [`Error::ConfigKeyTaken`] if another config of the tenant has the
    /// key.
    pub async fn add_child<D: Details>(
        &self,
        child: &Child<D>,
        lead: Option<LeadId>,
    ) -> Result<()> {
        let tenant = child.tenant_id;
        let mut writes =
            self.transaction().demand(Key::tenant(tenant), Error::not_found(tenant))?;
        if lead.is_some() {
            writes = writes.count_child(tenant, D::KIND)?;
        }
        if let Some((key, holder, taken)) = claim_of(child) {
            writes = writes.claim(key, holder, taken)?;
        }
        let owner = super::tenants::owned_by(tenant, "owner");
        writes.insert(child)?.place(Key::owner(D::KIND, child.id), owner)?.commit().await
    }

    /// Replaces the child `before` with `after`.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the child has changed in the meantime; [`Error::ConfigKeyTaken`] if
    /// another config of the tenant has the new key.
    pub async fn replace_child<D: Details>(
        &self,
        before: &Stored<Child<D>>,
        after: &Child<D>,
    ) -> Result<()> {
        let claim = |child: &Child<D>| claim_of(child).filter(|_| !child.audit.deleted);
        let (old, new) = (claim(&before.item), claim(after));
        let same = old.as_ref().map(|(key, ..)| key) == new.as_ref().map(|(key, ..)| key);
        if same {
            return self.replace(after, before.version).await;
        }
        let mut writes = self.transaction().replace(after, before.version, Error::Stale)?;
        if let Some((key, ..)) = old {
            writes = writes.release(key, before.item.id.to_string())?;
        }
        if let Some((key, holder, taken)) = new {
            writes = writes.claim(key, holder, taken)?;
        }
        writes.commit().await
    }

    /// Soft-deletes a child of `tenant`. A child created by the tenant's lead no longer counts
    /// towards the lead's quota.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the child has changed in the meantime.
    pub async fn delete_child<D: Details>(
        &self,
        child: &Stored<Child<D>>,
        tenant: &Tenant,
        now: Timestamp,
        by: &UserId,
    ) -> Result<()> {
        let deleted = child.item.clone().deleted(now, by);
        if !tenant.was_created_by_lead(&child.item.audit) {
            return self.replace_child(child, &deleted).await;
        }
        let mut writes = self.transaction().replace(&deleted, child.version, Error::Stale)?;
        if let Some((key, ..)) = claim_of(&child.item) {
            writes = writes.release(key, child.item.id.to_string())?;
        }
        writes.uncount_child(tenant.id, D::KIND)?.commit().await
    }
}

/// Returns the claim of a child: the key, the attributes and the error if the key is taken. Returns
/// `None` if the child claims nothing.
fn claim_of<D: Details>(child: &Child<D>) -> Option<(Key, Attributes, Error)> {
    let unique = child.details.unique()?;
    let attributes = [
        ("entity".into(), AttributeValue::S("config-key".into())),
        ("holder".into(), AttributeValue::S(child.id.to_string())),
    ];
    let taken = Error::ConfigKeyTaken(unique.to_owned());
    Some((Key::config_key(child.tenant_id, unique), attributes.into(), taken))
}
