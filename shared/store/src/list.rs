use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value, value::RawValue};

use super::{
    BATCH, Cursor, Item, Store, Stored, TOTAL, filling::Filling, include::Related, seen::Held,
    walk::position,
};
use domain::{Editable, Entity, EntityId, Error, LeadId, Result};
use filter::{Filter, Where, WireEntity};

/// An entity that the store can list, filter and count.
///
/// DynamoDB narrows the read in this order: by ID, by another key of the entity (a tenant, a key),
/// by a partition of an index. All other conditions are evaluated in memory.
pub trait Listed: Entity + Item + Related + Clone + Send + Sync + 'static {
    /// The type of the entity's ID.
    type Id: EntityId;

    /// Returns the entity's ID.
    fn id(&self) -> Self::Id;

    /// Returns the entities with these IDs, strongly consistent. Pass few IDs, because all entities
    /// are held in memory.
    fn by_ids(
        store: &Store,
        ids: Vec<Self::Id>,
    ) -> impl Future<Output = Result<Vec<Stored<Self>>>> + Send;

    /// Returns the entities found by a key other than the ID (tenant, key), strongly consistent.
    /// Returns `None` if `conditions` name no such key.
    fn named(
        store: &Store,
        conditions: &Where,
    ) -> impl Future<Output = Result<Option<Vec<Found<Self>>>>> + Send;

    /// Returns the entity with this ID and the lead that owns it, strongly consistent.
    fn one(
        store: &Store,
        id: Self::Id,
    ) -> impl Future<Output = Result<(Stored<Self>, Option<LeadId>)>> + Send;

    /// Returns the entity with this ID and the lead that owns it, for display only. May be cached;
    /// use [`Listed::one`] before a write.
    fn to_show(
        store: &Store,
        id: Self::Id,
    ) -> impl Future<Output = Result<(Stored<Self>, Option<LeadId>)>> + Send {
        Self::one(store, id)
    }

    /// Returns the entities of a lead. Entities that do not match `conditions` may be left out.
    fn of_lead(
        store: &Store,
        lead: LeadId,
        conditions: &Where,
    ) -> impl Future<Output = Result<Vec<Found<Self>>>> + Send;

    /// Returns the index (`gsi1` or `gsi2`) and the partition that hold every match of
    /// `conditions`.
    fn partition(conditions: &Where) -> (&'static str, String);

    /// Returns the name of the counter that holds the number of matches, or `None` if no counter
    /// does.
    fn counted(conditions: &Where) -> Option<String> {
        conditions.is_everything().then(|| TOTAL.to_owned())
    }
}

/// A [`Listed`] entity that clients can change.
pub trait Writable: Listed + Editable {
    /// Replaces `before` with `after`. Fails with [`Error::Stale`] if the entity has changed in the
    /// meantime.
    fn write(
        store: &Store,
        before: &Stored<Self>,
        after: &Self,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Whether `after` claims a unique value that `before` did not.
    fn claims_anew(before: &Self, after: &Self) -> bool;
}

/// A request for a page of a list.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// Conditions, order, fields and inclusions.
    pub filter: &'a Filter,
    /// Limits the list to entities of this lead; `None` for callers that may see all.
    pub whose: Option<LeadId>,
    /// Cursor of the page; `None` for the first page.
    pub from: Option<Cursor>,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Page {
    /// The items of the page, in wire format.
    pub items: Vec<Box<RawValue>>,
    /// Cursor of the next page; `None` on the last page.
    pub next: Option<Cursor>,
    /// Included relations that are incomplete on this page.
    pub cut: BTreeSet<String>,
}

/// An entity that was found, with its wire format.
#[derive(Clone, Debug)]
pub struct Found<E> {
    /// The entity as stored.
    pub stored: Stored<E>,
    /// The entity in wire format.
    pub wire: Map<String, Value>,
}

impl<E> WireEntity for Found<E> {
    fn members(&self) -> &Map<String, Value> {
        &self.wire
    }
}

impl<E: Entity> Found<E> {
    pub(super) fn of(stored: Stored<E>) -> Result<Self> {
        Ok(Self { wire: stored.item.wire()?, stored })
    }

    /// Adds the wire format to each stored entity.
    pub(super) fn all(stored: Vec<Stored<E>>) -> Result<Vec<Self>> {
        stored.into_iter().map(Self::of).collect()
    }
}

impl Store {
    /// Returns a page of a list, with the requested inclusions.
    ///
    /// # Errors
    ///
    /// [`Error::FilterTooBroad`] if more than 10,000 items or too many bytes would be read.
    pub async fn list<E: Listed>(&self, ask: Ask<'_>) -> Result<Page> {
        let Ask { filter, whose, from } = ask;
        let mut filling = Filling::<E>::new(self, filter);
        let candidates = self.candidates::<E>(&filter.conditions, whose).await?;
        let found = match (candidates, filter.order.by_creation()) {
            (Some(candidates), _) => candidates,
            (None, Some(direction)) => {
                self.walk(&mut filling, filter, direction, from).await?;
                return filling
                    .finish(|last| position(&last.stored.item, &filter.conditions))
                    .await;
            }
            (None, None) => self.all(&filter.conditions).await?,
        };
        for found in pick(filter, found, from) {
            if !filling.offer(found).await? {
                break;
            }
        }
        filling.finish(|last| Cursor::Order { last: filter.order.sort_values(last) }).await
    }

    /// Returns every entity that matches `conditions`.
    ///
    /// # Errors
    ///
    /// Same as [`Store::list`].
    pub async fn find<E: Listed>(
        &self,
        conditions: &Where,
        whose: Option<LeadId>,
    ) -> Result<Vec<Stored<E>>> {
        let found = match self.candidates::<E>(conditions, whose).await? {
            Some(candidates) => candidates,
            None => self.all(conditions).await?,
        };
        Ok(found.into_iter().map(|found| found.stored).collect())
    }

    /// Returns the number of entities that match `conditions`. A number from a counter is
    /// eventually consistent, about one second old.
    ///
    /// # Errors
    ///
    /// Same as [`Store::list`].
    pub async fn count<E: Listed>(&self, conditions: &Where, whose: Option<LeadId>) -> Result<u64> {
        if let Some(number) = E::counted(conditions).filter(|_| whose.is_none()) {
            let counter = self.counter(E::KIND).await?;
            return Ok(counter.get(&number).copied().unwrap_or_default());
        }
        let found = match self.candidates::<E>(conditions, whose).await? {
            Some(candidates) => candidates.len(),
            None => {
                let mut found = 0;
                self.scan::<E>(conditions, |_| {
                    found += 1;
                    Ok(())
                })
                .await?;
                found
            }
        };
        u64::try_from(found).map_err(Error::internal("counting"))
    }

    /// Returns one entity as a page, with the requested inclusions.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if an inclusion cannot be read.
    pub async fn complete<E: Listed>(&self, stored: Stored<E>, filter: &Filter) -> Result<Page> {
        let mut filling = Filling::new(self, filter);
        filling.offer(Found::of(stored)?).await?;
        filling.finish(|last| Cursor::Order { last: filter.order.sort_values(last) }).await
    }

    /// Returns every match of `conditions`, or `None` if an index has to be read for that.
    async fn candidates<E: Listed>(
        &self,
        conditions: &Where,
        whose: Option<LeadId>,
    ) -> Result<Option<Vec<Found<E>>>> {
        let found = if let Some(lead) = whose {
            E::of_lead(self, lead, conditions).await?
        } else if let Some(ids) = conditions.one_of("id") {
            let ids: HashSet<E::Id> =
                ids.iter().filter_map(|id| id.as_str()?.parse().ok()).collect();
            let ids: Vec<_> = ids.into_iter().collect();
            let mut held = Held::default();
            for batch in ids.chunks(BATCH) {
                for stored in E::by_ids(self, batch.to_vec()).await? {
                    let found = Found::of(stored)?;
                    if conditions.matches(&found.wire) {
                        held.add(found)?;
                    }
                }
            }
            return Ok(Some(held.into_found()));
        } else if let Some(named) = E::named(self, conditions).await? {
            named
        } else {
            return Ok(None);
        };
        let asked = |found: &Found<E>| conditions.matches(&found.wire);
        Ok(Some(found.into_iter().filter(asked).collect()))
    }
}

/// Sorts `items` and skips those before the page.
fn pick<E>(
    filter: &Filter,
    items: Vec<Found<E>>,
    from: Option<Cursor>,
) -> impl Iterator<Item = Found<E>> {
    let mut found = filter.ordered(items);
    let mut skipped = filter.skipped();
    if let Some(Cursor::Order { last }) = from {
        found.retain(|item| filter.order.is_after(item, &last));
        skipped = 0;
    }
    found.into_iter().skip(skipped)
}
