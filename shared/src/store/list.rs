use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value, value::RawValue};

use super::{
    BATCH, Cursor, Item, Store, Stored, TOTAL, filling::Filling, include::Related, seen::Held,
    walk::position,
};
use crate::{
    Error, Result,
    domain::{Editable, Entity, EntityId, LeadId},
    filter::{Filter, Filtered, Where},
};

/// An entity that the store lists, filters and counts.
///
/// `DynamoDB` narrows what is read, in this order: by id, by what a kind has beside it (a tenant, a
/// key), by a partition of an index. The rest of a `where` is evaluated here.
pub trait Listed: Entity + Item + Related + Clone + Send + Sync + 'static {
    /// Identifies one.
    type Id: EntityId;

    /// Its id.
    fn id(&self) -> Self::Id;

    /// Those with these ids, strongly consistent. They are few, since all are held at once.
    fn by_ids(
        store: &Store,
        ids: Vec<Self::Id>,
    ) -> impl Future<Output = Result<Vec<Stored<Self>>>> + Send;

    /// Returns those that what `conditions` name other than an id holds, strongly consistent; `None`
    /// if they name nothing that they could be read by.
    fn named(
        store: &Store,
        conditions: &Where,
    ) -> impl Future<Output = Result<Option<Vec<Found<Self>>>>> + Send;

    /// The one with this id, and the lead whose it is.
    fn one(
        store: &Store,
        id: Self::Id,
    ) -> impl Future<Output = Result<(Stored<Self>, Option<LeadId>)>> + Send;

    /// As [`Listed::one`] for a reader, who decides nothing by it.
    fn to_show(
        store: &Store,
        id: Self::Id,
    ) -> impl Future<Output = Result<(Stored<Self>, Option<LeadId>)>> + Send {
        Self::one(store, id)
    }

    /// Returns those that belong to a lead; it may leave out what `conditions` do not ask for.
    fn of_lead(
        store: &Store,
        lead: LeadId,
        conditions: &Where,
    ) -> impl Future<Output = Result<Vec<Found<Self>>>> + Send;

    /// The partition of an index, `gsi1` or `gsi2`, that holds all that `conditions` ask for.
    fn partition(conditions: &Where) -> (&'static str, String);

    /// The number of the kind's counter that says how many `conditions` ask for, if one does.
    fn counted(conditions: &Where) -> Option<String> {
        conditions.is_everything().then(|| TOTAL.to_owned())
    }
}

/// A [`Listed`] entity that clients change.
pub trait Writable: Listed + Editable {
    /// Writes `after` over what was read as `before`; fails with [`Error::Stale`] where that has
    /// changed in the meantime.
    fn write(
        store: &Store,
        before: &Stored<Self>,
        after: &Self,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Whether `after` claims something unique that `before` did not.
    fn claims_anew(before: &Self, after: &Self) -> bool;
}

/// What a list is asked for.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// Which, in which order, with what.
    pub filter: &'a Filter,
    /// Whose, for a caller who sees only its own.
    pub whose: Option<LeadId>,
    /// Where to begin.
    pub from: Option<Cursor>,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Page {
    /// What is on it, as it goes out.
    pub items: Vec<Box<RawValue>>,
    /// Where the next one begins; `None` on the last.
    pub next: Option<Cursor>,
    /// The included relations of which not all is on it.
    pub cut: BTreeSet<String>,
}

/// An entity that was found, with its form on the wire.
#[derive(Clone, Debug)]
pub struct Found<E> {
    /// As it is stored.
    pub stored: Stored<E>,
    /// As it goes out.
    pub wire: Map<String, Value>,
}

impl<E> Filtered for Found<E> {
    fn members(&self) -> &Map<String, Value> {
        &self.wire
    }
}

impl<E: Entity> Found<E> {
    pub(super) fn of(stored: Stored<E>) -> Result<Self> {
        Ok(Self { wire: stored.item.wire()?, stored })
    }

    /// Those that were `stored`.
    pub(super) fn all(stored: Vec<Stored<E>>) -> Result<Vec<Self>> {
        stored.into_iter().map(Self::of).collect()
    }
}

impl Store {
    /// Returns a page of a list, with what is included in each item.
    ///
    /// # Errors
    ///
    /// [`Error::FilterTooBroad`] if that would read more than 10,000 items, or too many bytes.
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
        filling.finish(|last| Cursor::Order { last: filter.order.held(last) }).await
    }

    /// All that `conditions` ask for.
    ///
    /// # Errors
    ///
    /// As [`Store::list`].
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

    /// How many `conditions` ask for; where a counter has that number, about a second behind.
    ///
    /// # Errors
    ///
    /// As [`Store::list`].
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
        u64::try_from(found).map_err(Error::aws("counting"))
    }

    /// Returns one entity as a page, with what is included in it.
    ///
    /// # Errors
    ///
    /// [`Error::Aws`] if it cannot be read.
    pub async fn complete<E: Listed>(&self, stored: Stored<E>, filter: &Filter) -> Result<Page> {
        let mut filling = Filling::new(self, filter);
        filling.offer(Found::of(stored)?).await?;
        filling.finish(|last| Cursor::Order { last: filter.order.held(last) }).await
    }

    /// Returns all that `conditions` ask for, if no index has to be read for them.
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

/// Returns `items` in order, from where a page of them begins.
fn pick<E>(
    filter: &Filter,
    items: Vec<Found<E>>,
    from: Option<Cursor>,
) -> impl Iterator<Item = Found<E>> {
    let mut found = filter.ordered(items);
    let mut skipped = filter.skipped();
    if let Some(Cursor::Order { last }) = from {
        found.retain(|item| filter.order.is_behind(item, &last));
        skipped = 0;
    }
    found.into_iter().skip(skipped)
}
