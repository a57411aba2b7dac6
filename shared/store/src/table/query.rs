use std::vec::IntoIter;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;

use crate::table::{
    answer::{Query, answer},
    item::Attributes,
    raw_item::RawItem,
};
use domain::Result;

/// A page of the items that a query finds.
#[derive(Debug)]
pub(crate) struct QueryPage {
    /// The items in the order of their sort keys.
    pub(crate) items: Vec<RawItem>,
    /// Where the next page starts; `None` on the last page.
    pub(crate) next: Option<Attributes>,
}

/// Sends a query; `doing` describes it in errors.
pub(crate) async fn query_page(
    query: QueryFluentBuilder,
    doing: &'static str,
) -> Result<QueryPage> {
    let Query { items, last_evaluated_key } = answer(query.send(), doing).await?;
    Ok(QueryPage { items, next: last_evaluated_key.map(|key| key.key_attributes()) })
}

/// Returns all items that a query finds.
pub(crate) async fn query_all(
    query: QueryFluentBuilder,
    doing: &'static str,
) -> Result<Vec<RawItem>> {
    let (mut pages, mut items) = (QueryPages::new(query, doing), Vec::new());
    while let Some(page) = pages.next_page().await? {
        items.extend(page);
    }
    Ok(items)
}

/// The pages of a query, one after the other.
#[derive(Debug)]
pub(crate) struct QueryPages {
    /// The query of the next page.
    query: Option<QueryFluentBuilder>,
    /// The rest of the page that `next_item` has begun.
    page: IntoIter<RawItem>,
    doing: &'static str,
}

impl QueryPages {
    pub(crate) fn new(query: QueryFluentBuilder, doing: &'static str) -> Self {
        Self { query: Some(query), page: IntoIter::default(), doing }
    }

    /// Returns the items of the next page, which may be empty; `None` after the last page.
    pub(crate) async fn next_page(&mut self) -> Result<Option<Vec<RawItem>>> {
        let Some(query) = self.query.take() else { return Ok(None) };
        let QueryPage { items, next } = query_page(query.clone(), self.doing).await?;
        self.query = next.map(|next| query.set_exclusive_start_key(Some(next)));
        Ok(Some(items))
    }

    /// Returns the next item of any page.
    pub(crate) async fn next_item(&mut self) -> Result<Option<RawItem>> {
        loop {
            if let Some(item) = self.page.next() {
                return Ok(Some(item));
            }
            let Some(page) = self.next_page().await? else { return Ok(None) };
            self.page = page.into_iter();
        }
    }
}
