use serde::Serialize;
use serde_json::{Map, Value};

use super::{Audit, FromJson, Permit, Timestamp, UserId};
use crate::{Error, Result, filter::Schema};

/// Something that clients list, filter and look at (CONTRACT §1).
pub trait Entity: Sized {
    /// Its properties and relations on the wire.
    const SCHEMA: &'static Schema;
    /// What a caller needs to see it.
    type View: Permit;

    /// Who did what to it, and when.
    fn audit(&self) -> &Audit;

    /// It as it goes out, without relations; amounts are still texts, which
    /// [`Wire`](crate::filter::Wire) makes numbers.
    ///
    /// # Errors
    ///
    /// Where it cannot be written as JSON.
    fn wire(&self) -> Result<Map<String, Value>>;
}

/// An [`Entity`] that clients change.
pub trait Editable: Entity {
    /// What they give of it.
    type Details: FromJson + Send;
    /// What a caller needs to change it.
    type Update: Permit;

    /// The members that they may repeat and not change.
    const FIXED: &'static [&'static str];

    /// What it means to give another value of a member of [`Self::FIXED`], where that is more than
    /// a violation.
    #[must_use]
    fn conflict(_fixed: &str) -> Option<Error> {
        None
    }

    /// It with other details, as `by` leaves it now.
    #[must_use]
    fn edited(self, details: Self::Details, now: Timestamp, by: &UserId) -> Self;

    /// It with another audit.
    #[must_use]
    fn audited(self, audit: Audit) -> Self;

    /// It as `by` deletes it now: it stays, invisible to every read.
    #[must_use]
    fn deleted(self, now: Timestamp, by: &UserId) -> Self {
        let audit = self.audit().clone().deleted(now, by);
        self.audited(audit)
    }
}

/// What `view` looks like on the wire.
pub(super) fn wire_of(view: &impl Serialize) -> Result<Map<String, Value>> {
    match serde_json::to_value(view).map_err(Error::aws("writing an entity"))? {
        Value::Object(members) => Ok(members),
        other => Err(Error::aws("writing an entity")(format!("it is no object: {other}"))),
    }
}
