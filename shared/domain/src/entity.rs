use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Audit, Permit, UserId};
use crate::{Error, Result};
use filter::Schema;
use schema::{Patch, Timestamp};

/// An entity that clients can get, list and filter.
pub trait Entity: Sized {
    /// The entity's properties and relations on the wire.
    const SCHEMA: &'static Schema;
    /// The permission to view the entity.
    type View: Permit;

    /// Returns the audit fields of the entity.
    fn audit(&self) -> &Audit;

    /// Returns the entity's members on the wire, without relations. Amounts are still text;
    /// [`Wire`](filter::Wire) writes them as numbers.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the entity cannot be serialized as a JSON object.
    fn wire(&self) -> Result<Map<String, Value>>;
}

/// An [`Entity`] that clients can change.
pub trait Editable: Entity {
    /// The properties that clients can change.
    type Details: Patch + Send;
    /// The permission to update the entity.
    type Update: Permit;

    /// The read-only members: clients may repeat their values but not change them.
    const READ_ONLY: &'static [&'static str];

    /// Returns the error for changing this member of [`Self::READ_ONLY`], or `None` if it is a plain
    /// violation.
    #[must_use]
    fn conflict(_fixed: &str) -> Option<Error> {
        None
    }

    /// Returns the properties that clients can change.
    #[must_use]
    fn details(&self) -> Self::Details;

    /// Checks that the entity's state allows these details.
    ///
    /// # Errors
    ///
    /// The error of the state.
    fn check_edit(&self, _details: &Self::Details) -> Result<()> {
        Ok(())
    }

    /// Returns the entity after `by` changes its details at `now`.
    #[must_use]
    fn edited(self, details: Self::Details, now: Timestamp, by: &UserId) -> Self;

    /// Returns the entity with another audit.
    #[must_use]
    fn audited(self, audit: Audit) -> Self;

    /// Returns the entity after `by` soft-deletes it at `now`: the item stays but no read returns
    /// it.
    #[must_use]
    fn deleted(self, now: Timestamp, by: &UserId) -> Self {
        let audit = self.audit().clone().deleted(now, by);
        self.audited(audit)
    }
}

/// Serializes `view` to the members of a JSON object.
pub(crate) fn wire_of(view: &impl Serialize) -> Result<Map<String, Value>> {
    match serde_json::to_value(view).map_err(Error::internal("writing an entity"))? {
        Value::Object(members) => Ok(members),
        other => Err(Error::internal("writing an entity")(format!("not a JSON object: {other}"))),
    }
}
