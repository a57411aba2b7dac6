use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use crate::{
    Store,
    search::{
        change::{SearchChange, SearchSource},
        item::SearchedKind,
    },
    table::{index::Partition, query::query_page},
};
use domain::{Error, Result};

/// Maximum number of entities read at a time.
const CHUNK: i32 = 100;

/// A position in the walk over all entities that search finds. The default is the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SearchPosition {
    kind: SearchedKind,
    /// The sort key of the last entity in the index of its kind.
    after: Option<String>,
}

/// An entity in the index of its kind.
#[derive(Debug)]
struct Indexed {
    sort_key: String,
    source: SearchSource,
}

impl Store {
    /// Writes the search items of entities from `position` on, for at most about `time`. Returns
    /// the position at which to continue, or `None` at the end.
    ///
    /// # Errors
    ///
    /// An error if an item cannot be read or written. The walk can be repeated from `position`.
    pub async fn rebuild_search(
        &self,
        mut position: SearchPosition,
        time: Duration,
    ) -> Result<Option<SearchPosition>> {
        let start = Instant::now();
        loop {
            let chunk = self.entities_after(&position).await?;
            let is_last = chunk.is_empty();
            let sources = chunk.iter().map(|Indexed { source, .. }| Some(source));
            let changes: Vec<_> =
                sources.filter_map(|source| SearchChange::between(None, source)).collect();
            self.update_search(&changes).await?;
            if let Some(Indexed { sort_key, .. }) = chunk.into_iter().next_back() {
                position.after = Some(sort_key);
                if start.elapsed() > time {
                    return Ok(Some(position));
                }
            }
            if is_last {
                let Some(kind) = position.kind.next() else { return Ok(None) };
                position = SearchPosition { kind, after: None };
            }
        }
    }

    async fn entities_after(&self, position: &SearchPosition) -> Result<Vec<Indexed>> {
        let Partition { index, pk } = position.kind.partition();
        let after = position.after.clone().unwrap_or_else(|| "#".to_owned());
        let query = self.client.query().table_name(&*self.table).index_name(index.name());
        let query = query
            .key_condition_expression(format!("{} = :kind AND {} > :after", index.pk(), index.sk()))
            .expression_attribute_values(":kind", AttributeValue::S(pk))
            .expression_attribute_values(":after", AttributeValue::S(after))
            .limit(CHUNK);
        let found = query_page(query, "reading an index").await?.items.into_iter().map(|item| {
            let sort_key = item.key_part(index.sk()).ok_or("the item has no place in the index");
            let sort_key = sort_key.map_err(Error::internal("reading an index"))?;
            Ok(Indexed { sort_key, source: item.decode()? })
        });
        found.collect()
    }
}
