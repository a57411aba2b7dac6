//! JSON read into values that are valid, with every violation in one answer.
//!
//! A type says once how it is read and what its JSON Schema is ([`FromJson`], [`FromMembers`]). Numbers are
//! exact: a [`Document`] keeps its text, a [`Decimal`] its digits.

mod decimal;
mod document;
mod members;
mod reader;
mod timestamp;

pub use decimal::{Decimal, ParseDecimalError};
pub use document::{Document, Limits};
pub use members::{FromMembers, Members, nullable};
pub use reader::{BodyKind, FromJson, Invalid, Reader, Violation, check, read};
pub use timestamp::{Date, Timestamp};
