use std::mem;

use crate::{
    Store,
    lists::{
        cursor::Cursor,
        found::Found,
        inclusions::{Allowance, Inclusions},
        list::Page,
        listed::Listed,
        page_items::{PAGE_BYTES, PageItems},
        read_budget::weight,
    },
    table::read::BATCH,
};
use domain::Result;
use filter::{Filter, Wire};

/// Number of items whose to-many relations are read together.
const WITH_MANY: usize = 20;

/// A page under construction. It ends at its maximum number of items or at [`PAGE_BYTES`] of JSON,
/// inclusions included. It has at least one item if there is any.
#[derive(Debug)]
pub(crate) struct PageBuilder<'a, E> {
    filter: &'a Filter,
    inclusions: Inclusions,
    items: PageItems,
    /// Items whose inclusions are still to be read, in one batch.
    pending: Vec<Found<E>>,
    pending_bytes: usize,
    last: Option<Found<E>>,
    full: bool,
    more: bool,
}

impl<'a, E: Listed> PageBuilder<'a, E> {
    /// Returns an empty page for `filter`.
    pub(crate) fn new(store: &Store, filter: &'a Filter) -> Self {
        Self {
            filter,
            inclusions: Inclusions::new(store),
            items: PageItems::default(),
            pending: Vec::new(),
            pending_bytes: 0,
            last: None,
            full: false,
            more: false,
        }
    }

    /// Offers the next item to the page. Returns whether another one may follow.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`](domain::Error::Internal) if an inclusion cannot be read.
    pub(crate) async fn offer(&mut self, found: Found<E>) -> Result<bool> {
        let page = usize::from(self.filter.page_size());
        if self.full || self.items.len() + self.pending.len() == page {
            self.more = true;
            return Ok(false);
        }
        self.pending_bytes += weight(&found.wire);
        self.pending.push(found);
        if self.pending.len() == self.batch_size() || self.pending_bytes >= PAGE_BYTES {
            self.flush().await?;
        }
        Ok(!self.more)
    }

    /// Returns the number of items whose inclusions are read together. Inclusions of items that do
    /// not fit on the page are discarded.
    fn batch_size(&self) -> usize {
        match self.filter.include.as_slice() {
            [] => 1,
            include if include.iter().any(|with| with.many) => WITH_MANY,
            _ => BATCH,
        }
    }

    /// Reads the inclusions of the pending items and moves the items that fit to the page.
    async fn flush(&mut self) -> Result<()> {
        let mut batch = mem::take(&mut self.pending);
        self.pending_bytes = 0;
        let offered = batch.len();
        let includes = &self.filter.include;
        self.inclusions.include(&mut batch, includes, Allowance::OF_A_PAGE).await?;
        self.more |= batch.len() < offered;
        for found in batch {
            if !self
                .items
                .add(&Wire::new(E::SCHEMA, &found.wire).with_fields(&self.filter.fields))?
            {
                self.more = true;
                break;
            }
            self.last = Some(found);
        }
        self.full |= self.more || self.inclusions.is_exhausted();
        Ok(())
    }

    /// Returns the page. The next page, if there is one, begins at the `cursor` of the last item.
    ///
    /// # Errors
    ///
    /// Same as [`Self::offer`].
    pub(crate) async fn finish(mut self, cursor: impl FnOnce(&Found<E>) -> Cursor) -> Result<Page> {
        self.flush().await?;
        let next = self.last.as_ref().filter(|_| self.more).map(cursor);
        Ok(Page {
            items: self.items.into_items(),
            next,
            truncated: self.inclusions.into_truncated(),
        })
    }
}
