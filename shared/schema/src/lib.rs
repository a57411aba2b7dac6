//! JSON read into values that are valid, with every violation in one answer.
//!
//! A type says once how it is read and what its JSON Schema is ([`FromJson`], [`FromMembers`]); for
//! an object, [`body!`] derives both from the fields. Numbers are exact: a [`Document`] keeps its
//! text, a [`Decimal`] its digits. Days and host names have one form in all crates ([`Day`],
//! [`ascii_host`]), and the time comes from one [`clock`].
//!
//! Each module uses only those above it: `decimal`, `violation`, `scan`, `reader`, `from_json`,
//! `members`, `document`, `body`.

mod body;
pub mod clock;
mod day;
mod decimal;
mod document;
mod from_json;
mod host;
mod members;
mod reader;
mod scan;
mod timestamp;
mod violation;

pub use body::{CamelCase, Flat, Member};
pub use day::Day;
pub use decimal::{Decimal, ParseDecimalError};
pub use document::{Document, read};
pub use from_json::FromJson;
pub use host::{ascii_host, unicode_host};
pub use members::{FromMembers, Members, Patch, nullable};
pub use reader::{BodyKind, Reader};
pub use scan::Limits;
pub use timestamp::Timestamp;
pub use violation::{Invalid, Violation};
