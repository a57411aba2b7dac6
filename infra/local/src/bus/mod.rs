//! The event buses: which rule takes an event, and its delivery to a function.

mod buses;
mod pattern;
mod worker;

pub(crate) use buses::{Buses, Published};
pub use pattern::Pattern;
pub(crate) use worker::Worker;
