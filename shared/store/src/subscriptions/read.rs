use std::collections::HashSet;

use serde::Deserialize;

use crate::{
    Store,
    lists::found::Found,
    subscriptions::timers::TimerItem,
    table::{
        index::Partition,
        item::{Item, Stored, decode_all},
        key::Key,
        query::query_all,
        raw_item::RawItem,
    },
    tenants::owner::Owner,
};
use domain::{
    Entity, Error, LeadId, Phase, Plan, PlanId, Result, Subscription, SubscriptionId, Tenant,
    TenantId, TimerSubject,
};
use filter::{Direction, Where};
use schema::Timestamp;

/// A subscription with its tenant, read together.
#[derive(Clone, Debug)]
pub struct Subscribed {
    /// The subscription.
    pub subscription: Stored<Subscription>,
    /// Its tenant.
    pub tenant: Stored<Tenant>,
}

/// Everything that a new subscription depends on, read together.
#[derive(Clone, Debug)]
pub struct Subscriber {
    /// The tenant.
    pub tenant: Stored<Tenant>,
    /// The plan.
    pub plan: Stored<Plan>,
    /// The tenant's subscription that has not ended.
    pub current: Option<SubscriptionId>,
}

/// The claim of a tenant's current subscription.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct CurrentSubscription {
    pub(crate) holder: SubscriptionId,
}

/// Maximum number of subscriptions in the list of those that end soon.
const MOST_ENDING: usize = 1000;

/// The kind of the claims of current subscriptions.
pub(crate) const CURRENT_ENTITY: &str = "current-subscription";

impl Store {
    /// Returns the subscription with this ID and its tenant. Takes two consecutive reads: the owner,
    /// then both together.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such subscription, or if it or its tenant was deleted.
    #[tracing::instrument(skip_all, fields(subscription.id = %id))]
    pub async fn subscription(&self, id: SubscriptionId) -> Result<Subscribed> {
        let tenant = self.tenant_of_subscription(id).await?;
        self.subscribed(tenant, id).await?.ok_or_else(|| Error::not_found(id))
    }

    /// Returns the tenant of a subscription.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such subscription.
    pub(crate) async fn tenant_of_subscription(&self, id: SubscriptionId) -> Result<TenantId> {
        let owner: Option<Owner> = self.get(Key::owner_of_subscription(id)).await?;
        owner.map(|owner| owner.tenant_id).ok_or_else(|| Error::not_found(id))
    }

    /// Returns a subscription of a tenant and the tenant, in one read. Returns `None` if one of them
    /// does not exist or was deleted.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if they cannot be read.
    pub async fn subscribed(
        &self,
        tenant: TenantId,
        id: SubscriptionId,
    ) -> Result<Option<Subscribed>> {
        let keys = [Key::subscription(tenant, id), Key::tenant(tenant)];
        Subscribed::of(&self.get_all(&keys).await?)
    }

    /// Returns a tenant, a plan and the tenant's current subscription, in one read.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if the tenant or the plan does not exist or was deleted.
    #[tracing::instrument(skip_all, fields(tenant.id = %tenant, plan.id = %plan))]
    pub async fn subscriber(&self, tenant: TenantId, plan: PlanId) -> Result<Subscriber> {
        let keys = [Key::tenant(tenant), Key::plan(plan), Key::current_subscription(tenant)];
        let (mut found_tenant, mut found_plan, mut current) = (None, None, None);
        for item in self.get_all(&keys).await? {
            match item.entity() {
                Some(Tenant::ENTITY) => found_tenant = item.decode_active()?,
                Some(Plan::ENTITY) => found_plan = item.decode_active()?,
                _ => current = Some(item.decode::<CurrentSubscription>()?.holder),
            }
        }
        Ok(Subscriber {
            tenant: found_tenant.ok_or_else(|| Error::not_found(tenant))?,
            plan: found_plan.ok_or_else(|| Error::not_found(plan))?,
            current,
        })
    }

    /// Returns the subscriptions that end until a time, the first to end first, or those of a lead.
    /// Eventually consistent, except for a lead.
    ///
    /// # Errors
    ///
    /// [`Error::FilterTooBroad`] if more would be read than one request may.
    pub async fn ending_subscriptions(
        &self,
        until: Timestamp,
        lead: Option<LeadId>,
    ) -> Result<Vec<Stored<Subscription>>> {
        if lead.is_some() {
            let (mut found, _) = self.find::<Subscription>(&Where::default(), lead).await?;
            found.sort_by_key(|stored| stored.item.ends_on());
            return Ok(found);
        }
        let partition = Partition::ending_subscriptions();
        let mut timers: Vec<TimerItem> =
            self.first(partition, Direction::Ascending, MOST_ENDING + 1, &[]).await?;
        timers.retain(|timer| timer.ends_on.is_some_and(|end| end <= until));
        if timers.len() > MOST_ENDING {
            return Err(Error::FilterTooBroad(
                "More than 1,000 subscriptions end. Give fewer `days`.",
            ));
        }
        let id = |timer: &TimerItem| match timer.subject {
            TimerSubject::Subscription(id) => Some(id),
            TimerSubject::Tenant(_) => None,
        };
        let ids: Vec<_> = timers.iter().filter_map(id).collect();
        let mut found = self.subscriptions(ids).await?;
        found.sort_by_key(|stored| (stored.item.ends_on(), stored.item.id));
        Ok(found)
    }

    /// Returns the subscriptions that have expired, or those of a lead.
    ///
    /// # Errors
    ///
    /// [`Error::FilterTooBroad`] if more would be read than one request may.
    pub async fn expired_subscriptions(
        &self,
        lead: Option<LeadId>,
    ) -> Result<Vec<Stored<Subscription>>> {
        let expired = format!(r#"where={{"status":{}}}"#, Phase::Expired.status());
        let expired = Where::from_query(&expired, Subscription::SCHEMA)?;
        Ok(self.find(&expired, lead).await?.0)
    }

    /// Returns the subscriptions with these IDs. Skips those that are missing or deleted, and those of
    /// deleted tenants.
    pub(crate) async fn subscriptions(
        &self,
        ids: Vec<SubscriptionId>,
    ) -> Result<Vec<Stored<Subscription>>> {
        let owners: Vec<_> = ids.into_iter().map(Key::owner_of_subscription).collect();
        let (mut keys, mut tenants) = (Vec::new(), HashSet::new());
        for owner in self.get_all(&owners).await? {
            let (key, Owner { tenant_id }) = (owner.key(), owner.decode()?);
            let id = key.as_ref().and_then(Key::owned).and_then(|id| id.parse().ok());
            keys.extend(id.map(|id| Key::subscription(tenant_id, id)));
            tenants.insert(tenant_id);
        }
        let tenants: Vec<_> = tenants.into_iter().map(Key::tenant).collect();
        let (found, tenants) = tokio::try_join!(self.get_all(&keys), self.get_all(&tenants))?;
        let tenants = decode_all::<Tenant>(&tenants)?.into_iter().map(|tenant| tenant.item.id);
        let tenants: HashSet<_> = tenants.collect();
        let mut found: Vec<Stored<Subscription>> = decode_all(&found)?;
        found.retain(|stored| tenants.contains(&stored.item.tenant_id));
        Ok(found)
    }

    /// Returns a tenant's subscriptions, newest first, strongly consistent. Returns none if there is
    /// no such tenant or it was deleted.
    pub(crate) async fn subscriptions_of(
        &self,
        tenant: TenantId,
    ) -> Result<Vec<Found<Subscription>>> {
        let query = self.newest_first(tenant, Key::SUBSCRIPTIONS);
        let (found, items) = tokio::try_join!(
            self.get_active::<Tenant>(Key::tenant(tenant)),
            query_all(query, "reading a tenant's subscriptions"),
        )?;
        if found.is_none() {
            return Ok(Vec::new());
        }
        Found::all(decode_all(&items)?)
    }
}

impl Subscribed {
    /// Decodes a subscription and its tenant. Returns `None` if one of them is missing or deleted.
    pub(crate) fn of(items: &[RawItem]) -> Result<Option<Self>> {
        let (mut subscription, mut tenant) = (None, None);
        for item in items {
            match item.entity() {
                Some(Tenant::ENTITY) => tenant = item.decode_active()?,
                Some(Subscription::ENTITY) => subscription = item.decode_active()?,
                _ => {}
            }
        }
        let both = subscription.zip(tenant);
        Ok(both.map(|(subscription, tenant)| Self { subscription, tenant }))
    }
}
