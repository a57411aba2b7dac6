//! Tenants.

mod cached;
mod delete;
pub(crate) mod owner;
pub(crate) mod read;
mod write;

use crate::{
    Store,
    lists::{
        by_id::ById,
        by_status::{counter_by_status, status_of},
        found::Found,
        listed::{Listed, Writable},
    },
    table::{
        index::{IndexKey, Partition},
        item::{Item, Stored, decode_all},
        key::Key,
    },
};
use domain::{EntityOwner, Lead, LeadId, Result, Tenant, TenantId};
use filter::Where;
use schema::read;

impl Item for Tenant {
    const ENTITY: &'static str = "tenant";

    fn key(&self) -> Key {
        Key::tenant(self.id)
    }

    fn indexes(&self) -> Vec<IndexKey> {
        let order = self.audit.created_on;
        vec![
            Partition::of_entity(Self::ENTITY).key(order, self.id),
            Partition::tenants_of_status(self.status.number()).key(order, self.id),
        ]
    }
}

impl ById for Tenant {
    type Id = TenantId;

    fn id(&self) -> TenantId {
        self.id
    }

    async fn by_ids(store: &Store, ids: Vec<TenantId>) -> Result<Vec<Stored<Self>>> {
        let keys: Vec<_> = ids.into_iter().map(Key::tenant).collect();
        decode_all(&store.get_all(&keys).await?)
    }
}

impl Listed for Tenant {
    async fn by_other_key(store: &Store, conditions: &Where) -> Result<Option<Vec<Found<Self>>>> {
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
            Some(lead) => Ok(Some(Self::of_lead(store, lead, conditions).await?.0)),
            None => Ok(None),
        }
    }

    async fn one(store: &Store, id: TenantId) -> Result<(Stored<Self>, EntityOwner)> {
        let tenant = store.stored_tenant(id).await?;
        let owner = EntityOwner::from(&tenant.item);
        Ok((tenant, owner))
    }

    async fn of_lead(
        store: &Store,
        lead: LeadId,
        _: &Where,
    ) -> Result<(Vec<Found<Self>>, EntityOwner)> {
        let leads = Lead::by_ids(store, vec![lead]).await?;
        let tenants = leads.into_iter().filter_map(|lead| lead.item.tenant_id);
        let tenants = Self::by_ids(store, tenants.collect()).await?;
        let owner = tenants.first().map_or_else(|| lead.into(), |tenant| (&tenant.item).into());
        Ok((Found::all(tenants)?, owner))
    }

    async fn for_display(store: &Store, id: TenantId) -> Result<(Stored<Self>, EntityOwner)> {
        let tenant = store.tenant_for_display(id).await?;
        let owner = EntityOwner::from(&tenant.item);
        Ok((tenant, owner))
    }

    fn partition(conditions: &Where) -> Partition {
        match status_of(conditions) {
            Some(status) => Partition::tenants_of_status(status),
            None => Partition::of_entity(Self::ENTITY),
        }
    }

    fn counter_name(conditions: &Where) -> Option<String> {
        counter_by_status(conditions)
    }
}

impl Writable for Tenant {
    async fn write(store: &Store, before: &Stored<Self>, after: &Self) -> Result<()> {
        store.replace_tenant(before, after).await
    }

    fn claims_new_value(before: &Self, after: &Self) -> bool {
        before.key != after.key
    }
}
