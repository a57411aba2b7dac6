//! Lists: from a filter to a page.

pub(crate) mod by_id;
pub(crate) mod by_status;
pub(crate) mod cursor;
pub(crate) mod found;
pub(crate) mod inclusions;
pub(crate) mod list;
pub(crate) mod listed;
pub(crate) mod newest;
mod page_builder;
pub(crate) mod page_items;
pub(crate) mod query;
pub(crate) mod read_budget;
mod related;
