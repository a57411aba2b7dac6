use aws_sdk_dynamodb::{operation::query::builders::QueryFluentBuilder, types::AttributeValue};
use serde::de::DeserializeOwned;

use super::{
    Cursor, Found, Listed, Store, Stored,
    item::{Attributes, decode, decode_living},
};
use crate::{
    Error, Result,
    filter::{Direction, Filter, Where},
};

/// The most items that one request reads (CONTRACT §8).
pub(super) const MOST_READ: usize = 10_000;

/// The most items of one page of a query.
const LARGEST_CHUNK: usize = 1000;

/// More would have to be read than one request may.
pub(super) fn too_broad() -> Error {
    Error::FilterTooBroad(
        "This would read more than 10000 items. Narrow it by id, tenantId, key, email or status, or \
         order it by createdOn and follow the link to the next page.",
    )
}

impl Store {
    /// A page read along an index, which has the order that is asked for.
    pub(super) async fn walk<E: Listed>(
        &self,
        filter: &Filter,
        direction: Direction,
        from: Option<Cursor>,
    ) -> Result<(Vec<Found<E>>, Option<Cursor>)> {
        let (want, mut skip) = (usize::from(filter.page_size()), filter.skip);
        let (mut found, mut read): (Vec<Found<E>>, usize) = (Vec::new(), 0);
        let mut start = from.and_then(start_key);
        // One more than the page holds tells whether there is a next one.
        let mut chunk = want.saturating_add(filter.skipped()).saturating_add(1);
        loop {
            chunk = chunk.min(LARGEST_CHUNK).min(MOST_READ + 1 - read);
            let (items, next) = self.query(&filter.conditions, direction, chunk, start).await?;
            for stored in items {
                read += 1;
                let item = Found::of(stored)?;
                if !filter.conditions.matches(&item.wire) {
                    continue;
                }
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                if found.len() == want {
                    let next =
                        found.last().map(|last| position(&last.stored.item, &filter.conditions));
                    return Ok((found, next));
                }
                found.push(item);
            }
            match next {
                None => return Ok((found, None)),
                Some(_) if read > MOST_READ => return Err(too_broad()),
                more => start = more,
            }
            chunk *= 2;
        }
    }

    /// All of the partition of an index in which those asked for are.
    pub(super) async fn all<E: Listed>(&self, conditions: &Where) -> Result<Vec<Stored<E>>> {
        let (mut all, mut start) = (Vec::new(), None);
        loop {
            let (items, next) =
                self.query(conditions, Direction::Descending, LARGEST_CHUNK, start).await?;
            all.extend(items);
            if all.len() > MOST_READ {
                return Err(too_broad());
            }
            match next {
                None => return Ok(all),
                more => start = more,
            }
        }
    }

    async fn query<E: Listed>(
        &self,
        conditions: &Where,
        direction: Direction,
        limit: usize,
        start: Option<Attributes>,
    ) -> Result<(Vec<Stored<E>>, Option<Attributes>)> {
        let (index, partition) = E::partition(conditions);
        let request = self.in_index(index, partition, direction, limit);
        let reply = request.set_exclusive_start_key(start).send().await;
        let reply = reply.map_err(Error::aws("listing"))?;
        let items = reply.items.unwrap_or_default().into_iter();
        let items = items.filter_map(|item| decode_living(item).transpose());
        Ok((items.collect::<Result<_>>()?, reply.last_evaluated_key))
    }

    /// The first `limit` items of a partition of an index, deleted ones among them.
    pub(super) async fn first<T: DeserializeOwned>(
        &self,
        index: &str,
        partition: String,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<T>> {
        let reply = self.in_index(index, partition, direction, limit).send().await;
        let items = reply.map_err(Error::aws("reading an index"))?.items;
        items.unwrap_or_default().into_iter().map(decode).collect()
    }

    fn in_index(
        &self,
        index: &str,
        partition: String,
        direction: Direction,
        limit: usize,
    ) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&*self.table)
            .index_name(index)
            .key_condition_expression(format!("{index}pk = :partition"))
            .expression_attribute_values(":partition", AttributeValue::S(partition))
            .scan_index_forward(direction == Direction::Ascending)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
    }
}

/// Where `item` is in the partition that `conditions` are read from.
fn position<E: Listed>(item: &E, conditions: &Where) -> Cursor {
    let (index, partition) = E::partition(conditions);
    let mut key = Attributes::from(item.key());
    for place in
        item.indexes().into_iter().filter(|place| place.index == index && place.pk == partition)
    {
        key.insert(format!("{index}pk"), AttributeValue::S(place.pk));
        key.insert(format!("{index}sk"), AttributeValue::S(place.sk));
    }
    Cursor::of_key(key)
}

fn start_key(cursor: Cursor) -> Option<Attributes> {
    match cursor {
        Cursor::Index { key } => {
            let value = |(name, value)| (name, AttributeValue::S(value));
            Some(key.into_iter().map(value).collect())
        }
        Cursor::Order { .. } => None,
    }
}
