use std::mem;

use super::{
    BATCH, Cursor, Listed, Store,
    include::{Allowance, Inclusions},
    list::{Found, Page},
    seen::weight,
};
use crate::{
    Result,
    answer::{PAGE_BYTES, Sheet},
    filter::{Filter, Wire},
};

/// A page that is being filled: it ends at its number of items, or at [`PAGE_BYTES`] of JSON with
/// all that is included. It has at least one item, if there is one.
#[derive(Debug)]
pub(super) struct Filling<'a, E> {
    filter: &'a Filter,
    inclusions: Inclusions,
    sheet: Sheet,
    /// What waits for its inclusions, which are read for many at a time.
    pending: Vec<Found<E>>,
    pending_bytes: usize,
    last: Option<Found<E>>,
    full: bool,
    more: bool,
}

impl<'a, E: Listed> Filling<'a, E> {
    /// Returns an empty page of what `filter` asks for.
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

    /// Offers the page its next item, and returns whether another one may follow.
    ///
    /// # Errors
    ///
    /// [`Error::Aws`](crate::Error::Aws) if an inclusion cannot be read.
    pub(super) async fn offer(&mut self, found: Found<E>) -> Result<bool> {
        let page = usize::from(self.filter.page_size());
        if self.full || self.sheet.len() + self.pending.len() == page {
            self.more = true;
            return Ok(false);
        }
        self.pending_bytes += weight(&found.wire);
        self.pending.push(found);
        let enough = self.pending.len() == BATCH || self.pending_bytes >= PAGE_BYTES;
        if enough || self.filter.include.is_empty() {
            self.flush().await?;
        }
        Ok(!self.more)
    }

    /// Moves what is pending to the page, as far as it fits.
    async fn flush(&mut self) -> Result<()> {
        let mut batch = mem::take(&mut self.pending);
        self.pending_bytes = 0;
        let offered = batch.len();
        let includes = &self.filter.include;
        self.inclusions.include(&mut batch, includes, Allowance::OF_A_PAGE).await?;
        self.more |= batch.len() < offered;
        for found in batch {
            if !self.sheet.add(&Wire::new(E::SCHEMA, &found.wire).cut(&self.filter.fields))? {
                self.more = true;
                break;
            }
            self.last = Some(found);
        }
        self.full |= self.more || self.inclusions.are_spent();
        Ok(())
    }

    /// Returns the page. If there is a next one, it begins at the `cursor` of the last item.
    ///
    /// # Errors
    ///
    /// As [`Self::offer`].
    pub(super) async fn finish(mut self, cursor: impl FnOnce(&Found<E>) -> Cursor) -> Result<Page> {
        self.flush().await?;
        let next = self.last.as_ref().filter(|_| self.more).map(cursor);
        Ok(Page { items: self.sheet.into_items(), next, cut: self.inclusions.into_cut() })
    }
}
