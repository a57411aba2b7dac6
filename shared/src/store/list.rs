use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{
    Cursor, Item, Store, Stored, TOTAL,
    include::{Related, include},
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

    /// Those with these ids, strongly consistent.
    fn by_ids(
        store: &Store,
        ids: Vec<Self::Id>,
    ) -> impl Future<Output = Result<Vec<Stored<Self>>>> + Send;

    /// Those that what `conditions` name other than an id holds, strongly consistent; `None` where
    /// they name nothing that they could be read by.
    fn named(
        store: &Store,
        conditions: &Where,
    ) -> impl Future<Output = Result<Option<Vec<Stored<Self>>>>> + Send;

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

    /// Those that belong to a lead.
    fn of_lead(
        store: &Store,
        lead: LeadId,
    ) -> impl Future<Output = Result<Vec<Stored<Self>>>> + Send;

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
    pub items: Vec<Map<String, Value>>,
    /// Where the next one begins; `None` on the last.
    pub next: Option<Cursor>,
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
}

impl Store {
    /// A page of a list, with what is included in each item.
    ///
    /// # Errors
    ///
    /// [`Error::FilterTooBroad`] where more than 10,000 items would have to be read.
    pub async fn list<E: Listed>(&self, ask: Ask<'_>) -> Result<Page> {
        let Ask { filter, whose, from } = ask;
        let candidates = self.candidates::<E>(&filter.conditions, whose).await?;
        let (mut found, next) = match (candidates, filter.order.by_creation()) {
            (Some(candidates), _) => pick(filter, candidates, from)?,
            (None, Some(direction)) => self.walk(filter, direction, from).await?,
            (None, None) => pick(filter, self.all(&filter.conditions).await?, from)?,
        };
        include(self, &mut found, &filter.include).await?;
        let mut items: Vec<_> = found.into_iter().map(|found: Found<E>| found.wire).collect();
        items.iter_mut().for_each(|item| filter.fields.cut(item));
        Ok(Page { items, next })
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
        let candidates = match self.candidates::<E>(conditions, whose).await? {
            Some(candidates) => candidates,
            None => self.all(conditions).await?,
        };
        let found = candidates.into_iter().map(Found::of);
        let asked = |found: &Result<Found<E>>| {
            found.as_ref().is_ok_and(|found| conditions.matches(&found.wire)) || found.is_err()
        };
        found.filter(asked).map(|found| found.map(|found| found.stored)).collect()
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
        let found = self.find::<E>(conditions, whose).await?.len();
        u64::try_from(found).map_err(Error::aws("counting"))
    }

    /// What is included in one entity.
    ///
    /// # Errors
    ///
    /// Where it cannot be read.
    pub async fn complete<E: Listed>(
        &self,
        stored: Stored<E>,
        filter: &Filter,
    ) -> Result<Map<String, Value>> {
        let mut found = [Found::of(stored)?];
        include(self, &mut found, &filter.include).await?;
        let [Found { mut wire, .. }] = found;
        filter.fields.cut(&mut wire);
        Ok(wire)
    }

    /// The few that all those asked for are among, where no index has to be read for them.
    async fn candidates<E: Listed>(
        &self,
        conditions: &Where,
        whose: Option<LeadId>,
    ) -> Result<Option<Vec<Stored<E>>>> {
        if let Some(lead) = whose {
            return E::of_lead(self, lead).await.map(Some);
        }
        if let Some(ids) = conditions.one_of("id") {
            let ids: HashSet<E::Id> =
                ids.iter().filter_map(|id| id.as_str()?.parse().ok()).collect();
            return E::by_ids(self, ids.into_iter().collect()).await.map(Some);
        }
        E::named(self, conditions).await
    }
}

/// A page of `items`, which are all that those asked for can be among.
fn pick<E: Entity>(
    filter: &Filter,
    items: Vec<Stored<E>>,
    from: Option<Cursor>,
) -> Result<(Vec<Found<E>>, Option<Cursor>)> {
    let items = items.into_iter().map(Found::of).collect::<Result<Vec<_>>>()?;
    let mut found = filter.ordered(items);
    match from {
        Some(Cursor::Order { last }) => found.retain(|item| filter.order.is_behind(item, &last)),
        _ => found = found.into_iter().skip(filter.skipped()).collect(),
    }
    let page = usize::from(filter.page_size());
    let more = found.len() > page;
    found.truncate(page);
    let next =
        found.last().filter(|_| more).map(|last| Cursor::Order { last: filter.order.held(last) });
    Ok((found, next))
}
