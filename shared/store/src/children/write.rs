use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    Store,
    table::{
        item::{Attributes, Stored},
        key::Key,
    },
    tenants::owner::owned_by,
};
use domain::{Child, Details, Editable, Error, LeadId, Result, Tenant, UserId};
use schema::Timestamp;

/// The kind of the claims on keys of configurations.
pub(crate) const CONFIG_KEY_ENTITY: &str = "config-key";

impl Store {
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
            self.transaction().require(Key::tenant(tenant), Error::not_found(tenant))?;
        if lead.is_some() {
            writes = writes.count_child(tenant, D::KIND)?;
        }
        if let Some((key, holder, taken)) = claim_of(child) {
            writes = writes.claim(key, holder, taken)?;
        }
        let owner = owned_by(tenant, "owner");
        writes.insert(child)?.put_auxiliary(Key::owner(D::KIND, child.id), owner)?.commit().await
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
        ("entity".into(), AttributeValue::S(CONFIG_KEY_ENTITY.into())),
        ("holder".into(), AttributeValue::S(child.id.to_string())),
    ];
    let taken = Error::ConfigKeyTaken(unique.to_owned());
    Some((Key::config_key(child.tenant_id, unique), attributes.into(), taken))
}
