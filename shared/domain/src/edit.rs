use std::marker::PhantomData;

use serde_json::{Map, Value, json};

use crate::{Editable, UserId};
use crate::{Error, Result};
use filter::{Kind, Schema};
use schema::{BodyKind, Document, Invalid, Timestamp, Violation};

/// The body of a PATCH or PUT, checked as far as possible without the stored entity.
///
/// A client may send back everything that it read. Read-only members are accepted if they equal the
/// stored value, and are never assigned.
#[derive(Debug)]
pub struct Edit<E> {
    body: Document,
    kind: BodyKind,
    /// Whether the caller may view the entity.
    seen: bool,
    entity: PhantomData<fn() -> E>,
}

impl<E: Editable> Edit<E> {
    /// Reads the body of a PATCH: omitted members keep their values.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with every violation.
    pub fn patch(body: &Document) -> Result<Self> {
        Self::read(BodyKind::Changing(E::READ_ONLY), body)
    }

    /// Reads the body of a PUT: omitted optional members are cleared, and required members must be
    /// given.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with every violation.
    pub fn put(body: &Document) -> Result<Self> {
        Self::read(BodyKind::Replacing(E::READ_ONLY), body)
    }

    fn read(kind: BodyKind, body: &Document) -> Result<Self> {
        body.check::<E::Details>(kind)?;
        Ok(Self { body: body.clone(), kind, seen: true, entity: PhantomData })
    }

    /// Returns the same edit for a caller who may not view the entity. The answer must not depend
    /// on the stored value of a read-only member, so giving such a member is always a violation.
    #[must_use]
    pub fn without_view(self) -> Self {
        Self { seen: false, ..self }
    }

    /// Returns the value that the client gives for the member `name`.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&Value> {
        self.body.value().get(name)
    }

    /// Applies the edit to `entity` on behalf of `by`.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the edit changes a read-only member, or if the given and the stored
    /// members together break a rule; the error of a state that does not allow the edit.
    pub fn apply(&self, entity: E, now: Timestamp, by: &UserId) -> Result<E> {
        let stored = entity.wire()?;
        let changed = |name: &&&str| {
            let differs = |given: &Value| !self.seen || !is_shown(E::SCHEMA, &stored, name, given);
            self.given(name).is_some_and(differs)
        };
        let (conflicts, violations): (Vec<_>, Vec<_>) = E::READ_ONLY
            .iter()
            .filter(changed)
            .map(|name| (E::conflict(name), fixed(name)))
            .partition(|(conflict, _)| conflict.is_some());
        if !violations.is_empty() {
            return Err(Error::Invalid(violations.into_iter().map(|(_, fixed)| fixed).collect()));
        }
        if let Some((Some(conflict), _)) = conflicts.into_iter().next() {
            return Err(conflict);
        }
        let details = match self.kind {
            BodyKind::Changing(read_only) => self.body.patch(entity.details(), read_only),
            kind => self.body.read_as(kind),
        };
        let details = details.map_err(|invalid| self.redacted(invalid))?;
        entity.check_edit(&details)?;
        Ok(entity.edited(details, now, by))
    }
}

impl<E> Edit<E> {
    /// Hides the parameters of rules that are broken together with stored values, if the caller may not
    /// see the entity: a parameter may be such a value.
    fn redacted(&self, Invalid(violations): Invalid) -> Invalid {
        let blind = |violation| Violation {
            message: "must be consistent with the other members".to_owned(),
            info: json!({}),
            ..violation
        };
        if self.seen {
            Invalid(violations)
        } else {
            Invalid(violations.into_iter().map(blind).collect())
        }
    }
}

/// Returns whether an answer shows the member `name` as this value. Objects and lists with exact
/// amounts are stored as JSON text.
fn is_shown(schema: &Schema, stored: &Map<String, Value>, name: &str, value: &Value) -> bool {
    let is_json = |kind: &Kind| matches!(kind, Kind::Object | Kind::List);
    let kind = schema.properties.iter().find_map(|(known, kind)| (*known == name).then_some(kind));
    match (stored.get(name), kind) {
        (Some(Value::String(text)), Some(kind)) if is_json(kind) => {
            serde_json::from_str::<Value>(text).is_ok_and(|stored| stored == *value)
        }
        (stored, _) => stored == Some(value),
    }
}

/// Returns the violation for changing a read-only member. It does not reveal the stored value.
fn fixed(name: &str) -> Violation {
    Violation {
        path: format!("/{name}"),
        code: "const",
        message: "must be equal to constant".to_owned(),
        info: json!({}),
    }
}
