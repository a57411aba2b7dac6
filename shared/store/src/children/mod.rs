//! Contacts, configurations and invoices.

pub(crate) mod quota;
mod read;
pub(crate) mod write;

use crate::{
    Store,
    lists::{
        by_id::ById,
        found::Found,
        listed::{Listed, Writable},
        read_budget::Collected,
    },
    table::{
        index::{IndexKey, Partition},
        item::{Item, Stored},
        key::Key,
    },
};
use domain::{Child, Details, EntityOwner, LeadId, Resource, Result, Tenant};
use filter::Where;

/// Maximum number of tenants whose children a list reads tenant by tenant, with two calls each.
const MOST_TENANTS: usize = 50;

impl<D: Details> Item for Child<D> {
    const ENTITY: &'static str = D::KIND.noun();

    fn key(&self) -> Key {
        Key::child(D::KIND, self.tenant_id, self.id)
    }

    fn indexes(&self) -> Vec<IndexKey> {
        vec![Partition::of_entity(Self::ENTITY).key(self.audit.created_on, self.id)]
    }
}

impl<D: Details> ById for Child<D> {
    type Id = D::Id;

    fn id(&self) -> D::Id {
        self.id
    }

    async fn by_ids(store: &Store, ids: Vec<D::Id>) -> Result<Vec<Stored<Self>>> {
        store.children(ids).await
    }
}

impl<D: Details> Listed for Child<D> {
    async fn by_other_key(store: &Store, conditions: &Where) -> Result<Option<Vec<Found<Self>>>> {
        let Some(tenants) = conditions.one_of("tenantId") else { return Ok(None) };
        // For more tenants, one read of the index is cheaper.
        if tenants.len() > MOST_TENANTS {
            return Ok(None);
        }
        let mut collected = Collected::default();
        for tenant in tenants.iter().filter_map(|id| id.as_str()?.parse().ok()) {
            for child in store.children_of(tenant, conditions).await? {
                collected.add(child)?;
            }
        }
        Ok(Some(collected.into_found()))
    }

    async fn one(store: &Store, id: D::Id) -> Result<(Stored<Self>, EntityOwner)> {
        let (child, tenant) = store.child(id).await?;
        Ok((child, EntityOwner::from(&tenant.item)))
    }

    async fn of_lead(
        store: &Store,
        lead: LeadId,
        conditions: &Where,
    ) -> Result<(Vec<Found<Self>>, EntityOwner)> {
        let (mut tenants, owner) = Tenant::of_lead(store, lead, &Where::default()).await?;
        let children = match tenants.pop() {
            Some(tenant) => store.children_of(tenant.stored.item.id, conditions).await?,
            None => Vec::new(),
        };
        Ok((children, owner))
    }

    fn partition(_: &Where) -> Partition {
        Partition::of_entity(Self::ENTITY)
    }
}

impl<D: Details> Writable for Child<D> {
    async fn write(store: &Store, before: &Stored<Self>, after: &Self) -> Result<()> {
        store.replace_child(before, after).await
    }

    fn claims_new_value(before: &Self, after: &Self) -> bool {
        before.details.unique() != after.details.unique()
    }
}

impl Item for Resource {
    const ENTITY: &'static str = "resource";

    fn key(&self) -> Key {
        Key::resource(self.tenant_id, self.id)
    }
}
