use std::mem;

use super::{
    Allowance, BATCH, Cursor, Inclusions, Listed, Store,
    list::{Found, Page},
    seen::weight,
};
use crate::answer::{PAGE_BYTES, Sheet};
use domain::Result;
use filter::{Filter, Wire};

/// Number of items whose to-many relations are read together.
const WITH_MANY: usize = 20;

/// A page under construction. It ends at its maximum number of items or at [`PAGE_BYTES`] of JSON,
/// inclusions included. It has at least one item if there is any.
#[derive(Debug)]
pub(super) struct Filling<'a, E> {
    filter: &'a Filter,
    inclusions: Inclusions,
    sheet: Sheet,
    /// Items whose inclusions are still to be read, in one batch.
    pending: Vec<Found<E>>,
    pending_bytes: usize,
    last: Option<Found<E>>,
    full: bool,
    more: bool,
}

impl<'a, E: Listed> Filling<'a, E> {
    /// Returns an empty page for `filter`.
    pub(super) fn new(store: &Store, filter: &'a Filter) -> Self {
        Self {
            filter,
            inclusions: Inclusions::new(store),
            sheet: Sheet::default(),
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
    pub(super) async fn offer(&mut self, found: Found<E>) -> Result<bool> {
        let page = usize::from(self.filter.page_size());
        if self.full || self.sheet.len() + self.pending.len() == page {
            self.more = true;
            return Ok(false);
        }
        self.pending_bytes += weight(&found.wire);
        self.pending.push(found);
        if self.pending.len() == self.at_once() || self.pending_bytes >= PAGE_BYTES {
            self.flush().await?;
        }
        Ok(!self.more)
    }

    /// Returns the number of items whose inclusions are read together. Inclusions of items that do
    /// not fit on the page are discarded.
    fn at_once(&self) -> usize {
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
                .sheet
                .add(&Wire::new(E::SCHEMA, &found.wire).with_fields(&self.filter.fields))?
            {
                self.more = true;
                break;
            }
            self.last = Some(found);
        }
        self.full |= self.more || self.inclusions.are_spent();
        Ok(())
    }

    /// Returns the page. The next page, if there is one, begins at the `cursor` of the last item.
    ///
    /// # Errors
    ///
    /// Same as [`Self::offer`].
    pub(super) async fn finish(mut self, cursor: impl FnOnce(&Found<E>) -> Cursor) -> Result<Page> {
        self.flush().await?;
        let next = self.last.as_ref().filter(|_| self.more).map(cursor);
        Ok(Page { items: self.sheet.into_items(), next, cut: self.inclusions.into_cut() })
    }
}
