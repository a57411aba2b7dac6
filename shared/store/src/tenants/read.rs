use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    Store,
    cache::CacheKey,
    table::{
        item::{Item, Stored},
        key::Key,
        query::query_all,
        raw_item::RawItem,
    },
    tenants::owner::Owner,
};
use domain::{ChildKind, Contact, Error, Result, Tenant, TenantId, TenantKey};

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

    /// Returns the tenant with this ID and its version, strongly consistent.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such tenant or it was deleted.
    pub async fn stored_tenant(&self, id: TenantId) -> Result<Stored<Tenant>> {
        let tenant = self.get_active(Key::tenant(id)).await?;
        tenant.ok_or_else(|| Error::not_found(id))
    }

    /// Returns the ID of the tenant that has claimed this key, from the cache if present.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the claim cannot be read.
    pub async fn tenant_id_of_key(&self, key: &TenantKey) -> Result<Option<TenantId>> {
        let owner = self.get::<Owner>(Key::tenant_key(key));
        let id = async { Ok(owner.await?.map(|owner| owner.tenant_id)) };
        self.cache_or(CacheKey::TenantKey(key), Box::pin(id)).await
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

    /// Returns a tenant and its children of one kind, strongly consistent, in one read.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such tenant or it was deleted.
    pub(crate) async fn tenant_with<T: Item>(
        &self,
        id: TenantId,
        prefix: &str,
    ) -> Result<(Tenant, Vec<T>)> {
        let (tenant, children) = self.tenant_and(id, prefix, &[T::ENTITY]).await?;
        Ok((tenant.item, children.iter().map(RawItem::decode).collect::<Result<_>>()?))
    }

    /// Returns a tenant and the items of these `kinds` in its partition, from `prefix` on.
    ///
    /// The tenant comes after its children, so one range from `prefix` to it holds both. Items of other
    /// kinds in between are skipped.
    pub(crate) async fn tenant_and(
        &self,
        id: TenantId,
        prefix: &str,
        kinds: &[&str],
    ) -> Result<(Stored<Tenant>, Vec<RawItem>)> {
        let query = self
            .client
            .query()
            .table_name(&*self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :tenant AND sk BETWEEN :prefix AND :last")
            .expression_attribute_values(":tenant", AttributeValue::S(Key::tenant_partition(id)))
            .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
            .expression_attribute_values(":last", AttributeValue::S(Key::TENANT.to_owned()));
        let items = query_all(query, "reading a tenant's partition").await?;
        let (mut tenant, mut children) = (None::<Stored<Tenant>>, Vec::new());
        for item in items.into_iter().filter(|item| !item.is_deleted()) {
            match item.entity() {
                Some(kind) if kind == Tenant::ENTITY => tenant = item.decode_active()?,
                Some(kind) if kinds.contains(&kind) => children.push(item),
                _ => {}
            }
        }
        let tenant = tenant.ok_or_else(|| Error::not_found(id))?;
        Ok((tenant, children))
    }
}
