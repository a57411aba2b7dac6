//! The audit log: who changed what, as chains of entries that cannot be rewritten unnoticed.
//!
//! | module | contents |
//! |---|---|
//! | `trace` | how a write came about; each write stamps it on its item |
//! | `kind` | the items whose changes are recorded, and their personal and secret members |
//! | `changes` | the difference between two versions of an item |
//! | `action` | the names of changes |
//! | `entry` | entries, made from the difference |
//! | `canonical` | the JSON that an entry's MAC signs (RFC 8785) |
//! | `chain` | the check that a chain is whole |

mod action;
mod canonical;
mod chain;
mod changes;
mod entry;
mod kind;
mod trace;

pub use action::AuditAction;
pub use canonical::canonical;
pub use chain::{ChainCheck, ChainHead, SealedEntry};
pub use changes::Change;
pub use entry::{AddressDetail, AuditEntry, ItemChange};
pub use kind::{AuditChain, AuditedKind};
pub use trace::{MAX_AGENT, Trace, Via};
