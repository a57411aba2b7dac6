//! The event buses: rules and the delivery of events to functions.

mod buses;
mod pattern;
mod worker;

pub(crate) use buses::{Buses, Published};
pub use pattern::Pattern;
pub(crate) use worker::Worker;
