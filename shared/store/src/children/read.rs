use std::collections::HashSet;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    Store,
    table::{
        item::{Item, Stored, decode_all},
        key::Key,
        query::query_all,
    },
    tenants::owner::Owner,
};
use domain::{Child, ChildKind, Contact, Details, Error, Result, Tenant, TenantId};

impl Store {
    /// Returns the child with this ID and its tenant. Takes two consecutive reads: the owner, then
    /// the child and the tenant together.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such child, or if it or its tenant was deleted.
    pub async fn child<D: Details>(&self, id: D::Id) -> Result<(Stored<Child<D>>, Stored<Tenant>)> {
        let none = || Error::not_found(id);
        let owner: Option<Owner> = self.get(Key::owner(D::KIND, id)).await?;
        let Owner { tenant_id } = owner.ok_or_else(none)?;
        let both = [Key::child(D::KIND, tenant_id, id), Key::tenant(tenant_id)];
        let (mut child, mut tenant) = (None, None);
        for item in self.get_all(&both).await? {
            if item.entity() == Some(Tenant::ENTITY) {
                tenant = item.decode_active::<Tenant>()?;
            } else {
                child = item.decode_active()?;
            }
        }
        child.zip(tenant).ok_or_else(none)
    }

    /// Returns the primary contact of a tenant, or its first contact if none is primary. Returns `None`
    /// if it has no contacts.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the contacts cannot be read.
    pub async fn primary_contact(&self, tenant: TenantId) -> Result<Option<Contact>> {
        let query = self
            .client
            .query()
            .table_name(&*self.table)
            .key_condition_expression("pk = :tenant AND begins_with(sk, :contacts)")
            .expression_attribute_values(
                ":tenant",
                AttributeValue::S(Key::tenant_partition(tenant)),
            )
            .expression_attribute_values(
                ":contacts",
                AttributeValue::S(Key::children(ChildKind::Contact).to_owned()),
            );
        let contacts = query_all(query, "reading a tenant's contacts").await?;
        let mut contacts: Vec<Stored<Contact>> = decode_all(&contacts)?;
        contacts.sort_by_key(|contact| !contact.item.details.is_primary);
        Ok(contacts.into_iter().next().map(|contact| contact.item))
    }

    /// Returns the children with these IDs. Skips children that are missing or deleted, and those
    /// of deleted tenants.
    pub(crate) async fn children<D: Details>(
        &self,
        ids: Vec<D::Id>,
    ) -> Result<Vec<Stored<Child<D>>>> {
        let owners: Vec<_> = ids.into_iter().map(|id| Key::owner(D::KIND, id)).collect();
        let (mut children, mut tenants) = (Vec::new(), HashSet::new());
        for owner in self.get_all(&owners).await? {
            let (key, Owner { tenant_id }) = (owner.key(), owner.decode()?);
            children.extend(
                key.as_ref().and_then(Key::owned).map(|id| Key::child(D::KIND, tenant_id, id)),
            );
            tenants.insert(tenant_id);
        }
        let tenants: Vec<_> = tenants.into_iter().map(Key::tenant).collect();
        let (children, tenants) =
            tokio::try_join!(self.get_all(&children), self.get_all(&tenants))?;
        let tenants = decode_all::<Tenant>(&tenants)?.into_iter().map(|tenant| tenant.item.id);
        let (tenants, mut children): (HashSet<_>, Vec<_>) =
            (tenants.collect(), decode_all(&children)?);
        children.retain(|child: &Stored<Child<D>>| tenants.contains(&child.item.tenant_id));
        Ok(children)
    }
}
