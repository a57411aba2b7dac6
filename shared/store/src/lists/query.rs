use aws_sdk_dynamodb::{operation::query::builders::QueryFluentBuilder, types::AttributeValue};
use serde::de::DeserializeOwned;

use crate::{
    Store,
    lists::{
        cursor::Cursor,
        found::Found,
        listed::Listed,
        page_builder::PageBuilder,
        read_budget::{Collected, MOST_READ, ReadBudget, too_broad},
    },
    table::{
        index::{IndexKey, Partition},
        item::{Attributes, Stored, decode_all},
        query::{QueryPage, query_page},
    },
};
use domain::Result;
use filter::{Direction, Filter, Where};

/// Maximum number of items in one page of a query.
const LARGEST_CHUNK: usize = 1000;

impl Store {
    /// Fills a page from an index that is already in the requested order.
    pub(crate) async fn walk<E: Listed>(
        &self,
        page: &mut PageBuilder<'_, E>,
        filter: &Filter,
        direction: Direction,
        cursor: Option<Cursor>,
    ) -> Result<()> {
        let (mut skip, mut budget, mut read) = (filter.skip, ReadBudget::default(), 0);
        let mut start = cursor.and_then(start_key);
        // One more item than fits on the page shows whether there is a next page.
        let mut chunk =
            usize::from(filter.page_size()).saturating_add(filter.skipped()).saturating_add(1);
        loop {
            chunk = chunk.min(LARGEST_CHUNK).min(MOST_READ + 1 - read);
            let (items, next) = self.query(&filter.conditions, direction, chunk, start).await?;
            for stored in items {
                let found = Found::of(stored)?;
                read += 1;
                // The last item within the limit may still be the last item of the page.
                let within = budget.add(&found.wire);
                if !filter.conditions.matches(&found.wire) {
                    within?;
                } else if skip > 0 {
                    within?;
                    skip -= 1;
                } else if !page.offer(found).await? {
                    return Ok(());
                }
            }
            match next {
                None => return Ok(()),
                Some(_) if read > MOST_READ => return Err(too_broad()),
                more => start = more,
            }
            chunk *= 2;
        }
    }

    /// Returns every match of `conditions`, read from an index.
    pub(crate) async fn all<E: Listed>(&self, conditions: &Where) -> Result<Vec<Found<E>>> {
        let mut collected = Collected::default();
        self.scan(conditions, |found| collected.add(found)).await?;
        Ok(collected.into_found())
    }

    /// Calls `take` with every match of `conditions`, read from an index.
    pub(crate) async fn scan<E: Listed>(
        &self,
        conditions: &Where,
        mut take: impl FnMut(Found<E>) -> Result<()>,
    ) -> Result<()> {
        let (mut budget, mut start) = (ReadBudget::default(), None);
        loop {
            let (items, next) =
                self.query(conditions, Direction::Descending, LARGEST_CHUNK, start).await?;
            for stored in items {
                let found = Found::of(stored)?;
                budget.add(&found.wire)?;
                if conditions.matches(&found.wire) {
                    take(found)?;
                }
            }
            match next {
                None => return Ok(()),
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
        let request = self.in_partition(E::partition(conditions), direction, limit);
        let query = request.set_exclusive_start_key(start);
        let QueryPage { items, next } = query_page(query, "listing").await?;
        Ok((decode_all(&items)?, next))
    }

    /// Returns the first `most` items in a partition of an index. Reads only the given
    /// `attributes`, or all if the list is empty. Large items take several reads.
    pub(crate) async fn first<T: DeserializeOwned>(
        &self,
        partition: Partition,
        direction: Direction,
        most: usize,
        attributes: &[&str],
    ) -> Result<Vec<T>> {
        let (mut first, mut start): (Vec<T>, _) = (Vec::new(), None);
        while first.len() < most {
            let left = most - first.len();
            let mut request = self.in_partition(partition.clone(), direction, left);
            if !attributes.is_empty() {
                let names = attributes.iter().map(|name| format!("#{name}")).collect::<Vec<_>>();
                request = request.projection_expression(names.join(", "));
                for name in attributes {
                    request = request.expression_attribute_names(format!("#{name}"), *name);
                }
            }
            let request = request.set_exclusive_start_key(start);
            let QueryPage { items, next } = query_page(request, "reading an index").await?;
            for item in items {
                first.push(item.decode()?);
            }
            match next {
                None => break,
                more => start = more,
            }
        }
        Ok(first)
    }

    fn in_partition(
        &self,
        Partition { index, pk }: Partition,
        direction: Direction,
        limit: usize,
    ) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&*self.table)
            .index_name(index.name())
            .key_condition_expression(format!("{} = :partition", index.pk()))
            .expression_attribute_values(":partition", AttributeValue::S(pk))
            .scan_index_forward(direction == Direction::Ascending)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
    }
}

/// Returns the cursor behind `item` in the partition that `conditions` select.
pub(crate) fn position<E: Listed>(item: &E, conditions: &Where) -> Cursor {
    let partition = E::partition(conditions);
    let in_partition = item.indexes().into_iter().find(|key| key.partition == partition);
    let mut key = Attributes::from(item.key());
    for (name, value) in in_partition.into_iter().flat_map(IndexKey::attributes) {
        key.insert(name.to_owned(), AttributeValue::S(value));
    }
    Cursor::of_key(key)
}

pub(crate) fn start_key(cursor: Cursor) -> Option<Attributes> {
    match cursor {
        Cursor::Index { key } => {
            let value = |(name, value)| (name, AttributeValue::S(value));
            Some(key.into_iter().map(value).collect())
        }
        Cursor::Order { .. } => None,
    }
}
