//! Subscriptions of tenants, their timers, and the signals of billing systems.

pub(crate) mod payments;
pub(crate) mod read;
pub(crate) mod settling;
mod standing;
pub(crate) mod timers;
pub(crate) mod write;

use crate::{
    Store,
    lists::{
        by_id::ById,
        by_status::{counter_by_status, status_of},
        found::Found,
        inclusions::{IncludeFn, Related},
        listed::{Listed, Writable},
        read_budget::Collected,
    },
    table::{
        index::{IndexKey, Partition},
        item::{Item, Stored},
        key::Key,
    },
};
use domain::{EntityOwner, LeadId, Result, Subscription, SubscriptionId, Tenant};
use filter::Where;

/// Maximum number of tenants whose subscriptions a list reads tenant by tenant, with two calls each.
const MOST_TENANTS: usize = 50;

impl Item for Subscription {
    const ENTITY: &'static str = "subscription";

    fn key(&self) -> Key {
        Key::subscription(self.tenant_id, self.id)
    }

    fn indexes(&self) -> Vec<IndexKey> {
        let order = self.audit.created_on;
        vec![
            Partition::of_entity(Self::ENTITY).key(order, self.id),
            Partition::subscriptions_of_status(self.phase.status()).key(order, self.id),
        ]
    }
}

impl ById for Subscription {
    type Id = SubscriptionId;

    fn id(&self) -> SubscriptionId {
        self.id
    }

    async fn by_ids(store: &Store, ids: Vec<SubscriptionId>) -> Result<Vec<Stored<Self>>> {
        store.subscriptions(ids).await
    }
}

impl Related for Subscription {
    fn relation(name: &str) -> Option<IncludeFn<Self>> {
        match name {
            "tenant" => Some(|inclusions, found, with, allowance| {
                let id = |subscription: &Self| Some(subscription.tenant_id);
                Box::pin(inclusions.one::<_, Tenant>(found, with, allowance, id))
            }),
            _ => None,
        }
    }
}

impl Listed for Subscription {
    async fn by_other_key(store: &Store, conditions: &Where) -> Result<Option<Vec<Found<Self>>>> {
        let tenants = conditions.one_of("tenantId").or_else(|| conditions.one_of("subscriberId"));
        let Some(tenants) = tenants.filter(|tenants| tenants.len() <= MOST_TENANTS) else {
            return Ok(None);
        };
        let mut collected = Collected::default();
        for tenant in tenants.iter().filter_map(|id| id.as_str()?.parse().ok()) {
            for subscription in store.subscriptions_of(tenant).await? {
                collected.add(subscription)?;
            }
        }
        Ok(Some(collected.into_found()))
    }

    async fn one(store: &Store, id: SubscriptionId) -> Result<(Stored<Self>, EntityOwner)> {
        let found = store.subscription(id).await?;
        let owner = EntityOwner::from(&found.tenant.item);
        Ok((found.subscription, owner))
    }

    async fn of_lead(
        store: &Store,
        lead: LeadId,
        _: &Where,
    ) -> Result<(Vec<Found<Self>>, EntityOwner)> {
        let (mut tenants, owner) = Tenant::of_lead(store, lead, &Where::default()).await?;
        let subscriptions = match tenants.pop() {
            Some(tenant) => store.subscriptions_of(tenant.stored.item.id).await?,
            None => Vec::new(),
        };
        Ok((subscriptions, owner))
    }

    fn partition(conditions: &Where) -> Partition {
        match status_of(conditions) {
            Some(status) => Partition::subscriptions_of_status(status),
            None => Partition::of_entity(Self::ENTITY),
        }
    }

    fn counter_name(conditions: &Where) -> Option<String> {
        counter_by_status(conditions)
    }
}

impl Writable for Subscription {
    async fn write(store: &Store, before: &Stored<Self>, after: &Self) -> Result<()> {
        store.edit_subscription(before, after).await
    }

    fn claims_new_value(_: &Self, _: &Self) -> bool {
        false
    }
}
