//! The table: keys, items, and the requests that read and write them.

pub(crate) mod answer;
pub(crate) mod index;
pub(crate) mod item;
pub(crate) mod key;
pub(crate) mod plain_json;
pub(crate) mod query;
pub(crate) mod raw_item;
pub(crate) mod read;
pub(crate) mod retry;
pub(crate) mod transaction;
pub(crate) mod update;
