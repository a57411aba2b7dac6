//! Plans, and the catalog of those on offer.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Store,
    lists::{
        by_id::ById,
        found::Found,
        inclusions::{IncludeFn, Related},
        listed::{Listed, Writable},
    },
    table::{
        index::{IndexKey, Partition},
        item::{Item, Stored, decode_all},
        key::Key,
    },
};
use domain::{Catalog, EntityOwner, Error, LeadId, Plan, PlanId, PlanState, Result, entities};
use filter::Where;

impl Item for Plan {
    const ENTITY: &'static str = "plan";

    fn key(&self) -> Key {
        Key::plan(self.id)
    }

    fn indexes(&self) -> Vec<IndexKey> {
        let order = self.audit.created_on;
        let all = Partition::of_entity(Self::ENTITY).key(order, self.id);
        let offered = self.is_on_offer().then(|| Partition::catalog().key(order, self.id));
        [Some(all), offered].into_iter().flatten().collect()
    }
}

impl ById for Plan {
    type Id = PlanId;

    fn id(&self) -> PlanId {
        self.id
    }

    async fn by_ids(store: &Store, ids: Vec<PlanId>) -> Result<Vec<Stored<Self>>> {
        let keys: Vec<_> = ids.into_iter().map(Key::plan).collect();
        decode_all(&store.get_all(&keys).await?)
    }
}

impl Related for Plan {
    fn relation(_: &str) -> Option<IncludeFn<Self>> {
        None
    }
}

impl Listed for Plan {
    async fn by_other_key(_: &Store, _: &Where) -> Result<Option<Vec<Found<Self>>>> {
        Ok(None)
    }

    async fn one(store: &Store, id: PlanId) -> Result<(Stored<Self>, EntityOwner)> {
        Ok((store.plan(id).await?, EntityOwner::default()))
    }

    /// Every lead sees the plans on offer.
    async fn of_lead(
        store: &Store,
        _: LeadId,
        _: &Where,
    ) -> Result<(Vec<Found<Self>>, EntityOwner)> {
        let offered = format!(r#"where={{"state":"{}","public":true}}"#, PlanState::Active);
        let offered = Where::from_query(&offered, &entities::PLAN)?;
        let found: Vec<Found<Self>> = store.all(&offered).await?;
        let shown =
            found.into_iter().filter_map(|Found { stored: Stored { item, version }, .. }| {
                Some(Stored { item: item.for_customers()?, version })
            });
        Ok((Found::all(shown.collect())?, EntityOwner::default()))
    }

    fn partition(conditions: &Where) -> Partition {
        let has = |member, value| conditions.equals(member) == Some(value);
        if has("state", json!(PlanState::Active)) && has("public", json!(true)) {
            Partition::catalog()
        } else {
            Partition::of_entity(Self::ENTITY)
        }
    }

    /// Plans are few, so they are counted by reading them.
    fn counter_name(_: &Where) -> Option<String> {
        None
    }
}

impl Writable for Plan {
    async fn write(store: &Store, before: &Stored<Self>, after: &Self) -> Result<()> {
        store.replace_plan(before, after).await
    }

    fn claims_new_value(_: &Self, _: &Self) -> bool {
        false
    }
}

/// The mark that a public plan was active once. It is never removed.
#[derive(Debug, Serialize, Deserialize)]
struct OpenedCatalog {}

impl Item for OpenedCatalog {
    const ENTITY: &'static str = "catalog";

    fn key(&self) -> Key {
        Key::catalog()
    }
}

impl Store {
    /// Returns the plan with this ID and its version, strongly consistent.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such plan or it was deleted.
    #[tracing::instrument(skip_all, fields(plan.id = %id))]
    pub async fn plan(&self, id: PlanId) -> Result<Stored<Plan>> {
        self.get_active(Key::plan(id)).await?.ok_or_else(|| Error::not_found(id))
    }

    /// Writes a new plan.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the plan cannot be written.
    #[tracing::instrument(skip_all, fields(plan.id = %plan.id))]
    pub async fn add_plan(&self, plan: &Plan) -> Result<()> {
        self.transaction().insert(plan)?.commit().await
    }

    /// Replaces the plan `before` with `after`. The first plan on offer opens the catalog in the same
    /// transaction.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the plan has changed in the meantime.
    #[tracing::instrument(skip_all, fields(plan.id = %after.id))]
    pub async fn replace_plan(&self, before: &Stored<Plan>, after: &Plan) -> Result<()> {
        if before.item.is_on_offer() || !after.is_on_offer() {
            return self.replace(after, before.version).await;
        }
        let writes = self.transaction().replace(after, before.version, Error::Stale)?;
        writes.put_any(&OpenedCatalog {})?.commit().await
    }

    /// Returns whether a public plan was ever active, strongly consistent.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the mark cannot be read.
    pub async fn catalog(&self) -> Result<Catalog> {
        let opened: Option<OpenedCatalog> = self.get(Key::catalog()).await?;
        Ok(opened.map_or(Catalog::Unopened, |_| Catalog::Opened))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{item::encode, raw_item::RawItem};
    use domain::{Editable, PlanDetails, UserId};
    use schema::{Document, Limits, Timestamp};

    fn plan() -> Plan {
        let body = r#"{"name":"Premium","tier":"PREMIUM","price":49.90,"currencyCode":"EUR",
            "billingCycle":{"duration":1,"durationUnit":"month"},"public":true,
            "features":{"seats":25,"storage":0.5,"sso":true,"region":"eu"},
            "metaData":{"erp":"A-1"}}"#;
        let details = Document::parse(body.into(), Limits::BODY).unwrap().read().unwrap();
        Plan::create(details, Timestamp::from_millis(0), &UserId::from("operator"))
    }

    #[test]
    fn a_plan_is_stored_exactly() {
        let plan = Plan { subscribed: true, ..plan() };
        assert_eq!(RawItem::of(encode(&plan).unwrap()).decode::<Plan>().unwrap(), plan);
    }

    #[test]
    fn only_plans_on_offer_are_in_the_catalog() {
        let (now, by) = (Timestamp::from_millis(1), UserId::from("operator"));
        let in_catalog =
            |plan: &Plan| plan.indexes().iter().any(|key| key.partition == Partition::catalog());
        let draft = plan();
        let active = draft.clone().in_state(PlanState::Active, now, &by);
        let archived = active.clone().in_state(PlanState::Archived, now, &by);
        let secret = PlanDetails { public: Some(false), ..active.details() };
        let private = active.clone().edited(secret, now, &by);
        let seen = [&draft, &active, &archived, &private].map(in_catalog);
        assert_eq!(seen, [false, true, false, false]);
    }
}
