use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashSet},
};

use serde_json::{Map, Value, value::RawValue};

use crate::{
    Store,
    lists::{
        cursor::Cursor, found::Found, listed::Listed, page_builder::PageBuilder,
        page_items::PageItems, query::position, read_budget::Collected,
    },
    table::{item::Stored, read::BATCH},
};
use domain::{Entity, EntityOwner, Error, LeadId, Result};
use filter::{Direction, Filter, Where, Wire};

/// A request for a page of a list.
#[derive(Clone, Debug)]
pub struct ListRequest<'a> {
    /// Conditions, order, fields and inclusions.
    pub filter: &'a Filter,
    /// Limits the list to entities of this lead; `None` for callers that may see all.
    pub lead: Option<LeadId>,
    /// Cursor of the page; `None` for the first page.
    pub cursor: Option<Cursor>,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Page {
    /// The items of the page, in wire format.
    pub items: Vec<Box<RawValue>>,
    /// Cursor of the next page; `None` on the last page.
    pub next: Option<Cursor>,
    /// Included relations that are incomplete on this page.
    pub truncated: BTreeSet<String>,
}

/// The name under which a cursor keeps a place.
const PLACE: &str = "place";

impl Page {
    /// Returns the page behind `cursor` of entities that were all read, in the order of their places.
    /// No two have the same place. A page ends at 4 MB.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if an entity cannot be written as JSON.
    pub fn by_place<E: Entity>(
        found: Vec<Stored<E>>,
        direction: Direction,
        cursor: Option<Cursor>,
        place: impl Fn(&E) -> String,
    ) -> Result<Self> {
        let order = |left: &str, right: &str| match direction {
            Direction::Ascending => left.cmp(right),
            Direction::Descending => right.cmp(left),
        };
        let mut found: Vec<_> =
            found.into_iter().map(|stored| (place(&stored.item), stored.item)).collect();
        if let Some(Cursor::Order { last }) = cursor
            && let Some(last) = last.get(PLACE).and_then(Value::as_str)
        {
            found.retain(|(place, _)| order(place, last) == Ordering::Greater);
        }
        found.sort_by(|(left, _), (right, _)| order(left, right));
        let (mut items, mut last, mut more) = (PageItems::default(), None, false);
        for (place, item) in found {
            more = !items.add(&Wire::new(E::SCHEMA, &item.wire()?))?;
            if more {
                break;
            }
            last = Some(place);
        }
        let cursor = |place: String| Cursor::Order {
            last: Map::from_iter([(PLACE.to_owned(), place.into())]),
        };
        let next = last.filter(|_| more).map(cursor);
        Ok(Self { items: items.into_items(), next, truncated: BTreeSet::new() })
    }
}

impl Store {
    /// Returns a page of a list, with the requested inclusions.
    ///
    /// # Errors
    ///
    /// [`Error::FilterTooBroad`] if more than 10,000 items or too many bytes would be read.
    pub async fn list<E: Listed>(&self, request: ListRequest<'_>) -> Result<Page> {
        let ListRequest { filter, lead, cursor } = request;
        let mut page = PageBuilder::<E>::new(self, filter);
        let candidates = self.candidates::<E>(&filter.conditions, lead).await?;
        let found = match (candidates, filter.order.by_creation()) {
            (Some(candidates), _) => candidates,
            (None, Some(direction)) => {
                self.walk(&mut page, filter, direction, cursor).await?;
                return page.finish(|last| position(&last.stored.item, &filter.conditions)).await;
            }
            (None, None) => self.all(&filter.conditions).await?,
        };
        for found in pick(filter, found, cursor) {
            if !page.offer(found).await? {
                break;
            }
        }
        page.finish(|last| Cursor::Order { last: filter.order.sort_values(last) }).await
    }

    /// Returns every entity that matches `conditions`. For a lead, also returns their owner.
    ///
    /// # Errors
    ///
    /// Same as [`Store::list`].
    pub async fn find<E: Listed>(
        &self,
        conditions: &Where,
        lead: Option<LeadId>,
    ) -> Result<(Vec<Stored<E>>, EntityOwner)> {
        let (found, owner) = match lead {
            Some(lead) => {
                let (found, owner) = E::of_lead(self, lead, conditions).await?;
                (matching(found, conditions), owner)
            }
            None => match self.candidates::<E>(conditions, None).await? {
                Some(candidates) => (candidates, EntityOwner::default()),
                None => (self.all(conditions).await?, EntityOwner::default()),
            },
        };
        Ok((found.into_iter().map(|found| found.stored).collect(), owner))
    }

    /// Returns the number of entities that match `conditions`. A number from a counter is
    /// eventually consistent, about one second old.
    ///
    /// # Errors
    ///
    /// Same as [`Store::list`].
    pub async fn count<E: Listed>(&self, conditions: &Where, lead: Option<LeadId>) -> Result<u64> {
        if let Some(number) = E::counter_name(conditions).filter(|_| lead.is_none()) {
            let counter = self.counter(E::ENTITY).await?;
            return Ok(counter.get(&number).copied().unwrap_or_default());
        }
        let found = match self.candidates::<E>(conditions, lead).await? {
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
        let mut page = PageBuilder::new(self, filter);
        page.offer(Found::of(stored)?).await?;
        page.finish(|last| Cursor::Order { last: filter.order.sort_values(last) }).await
    }

    /// Returns every match of `conditions`, or `None` if an index has to be read for that.
    async fn candidates<E: Listed>(
        &self,
        conditions: &Where,
        lead: Option<LeadId>,
    ) -> Result<Option<Vec<Found<E>>>> {
        let found = if let Some(lead) = lead {
            E::of_lead(self, lead, conditions).await?.0
        } else if let Some(ids) = conditions.one_of("id") {
            let ids: HashSet<E::Id> =
                ids.iter().filter_map(|id| id.as_str()?.parse().ok()).collect();
            let ids: Vec<_> = ids.into_iter().collect();
            let mut collected = Collected::default();
            for batch in ids.chunks(BATCH) {
                for stored in E::by_ids(self, batch.to_vec()).await? {
                    let found = Found::of(stored)?;
                    if conditions.matches(&found.wire) {
                        collected.add(found)?;
                    }
                }
            }
            return Ok(Some(collected.into_found()));
        } else if let Some(by_other_key) = E::by_other_key(self, conditions).await? {
            by_other_key
        } else {
            return Ok(None);
        };
        Ok(Some(matching(found, conditions)))
    }
}

/// Returns those of the entities that match `conditions`.
fn matching<E>(mut found: Vec<Found<E>>, conditions: &Where) -> Vec<Found<E>> {
    found.retain(|found| conditions.matches(&found.wire));
    found
}

/// Sorts `items` and skips those before the page.
fn pick<E>(
    filter: &Filter,
    items: Vec<Found<E>>,
    cursor: Option<Cursor>,
) -> impl Iterator<Item = Found<E>> {
    let mut found = filter.ordered(items);
    let mut skipped = filter.skipped();
    if let Some(Cursor::Order { last }) = cursor {
        found.retain(|item| filter.order.is_after(item, &last));
        skipped = 0;
    }
    found.into_iter().skip(skipped)
}
