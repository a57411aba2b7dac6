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
        self.write_child(before, after, Quota::Kept).await
    }

    /// Writes a child over `before`. If an invoice no longer has to be paid, its subscription changes in
    /// the same transaction.
    async fn write_child<D: Details>(
        &self,
        before: &Stored<Child<D>>,
        after: &Child<D>,
        quota: Quota,
    ) -> Result<()> {
        let tenant = after.tenant_id;
        let settling = match D::settled(&before.item, after) {
            Some(invoice) => self.settling(tenant, invoice, &after.audit).await?,
            None => None,
        };
        let claim = |child: &Child<D>| claim_of(child).filter(|_| !child.audit.deleted);
        let (old, new) = (claim(&before.item), claim(after));
        let same = old.as_ref().map(|(key, ..)| key) == new.as_ref().map(|(key, ..)| key);
        if same && settling.is_none() && quota == Quota::Kept {
            return self.replace(after, before.version).await;
        }
        let mut writes = self.transaction().replace(after, before.version, Error::Stale)?;
        if let Some((key, ..)) = old.filter(|_| !same) {
            writes = writes.release(key, before.item.id.to_string())?;
        }
        if let Some((key, holder, taken)) = new.filter(|_| !same) {
            writes = writes.claim(key, holder, taken)?;
        }
        if quota == Quota::Released {
            writes = writes.uncount_child(tenant, D::KIND)?;
        }
        match &settling {
            Some(settling) => self.invalidating(tenant, writes.settled(settling)?.commit()).await,
            None => writes.commit().await,
        }
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
        let is_counted = tenant.was_created_by_lead(&child.item.audit);
        let quota = if is_counted { Quota::Released } else { Quota::Kept };
        self.write_child(child, &deleted, quota).await
    }
}

/// Whether a write gives back a part of the lead's quota.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quota {
    /// The child counts as before.
    Kept,
    /// The child no longer counts.
    Released,
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
