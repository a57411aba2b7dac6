use std::{collections::BTreeMap, marker::PhantomData};

use serde_json::{Value, json, value::RawValue};

use super::{
    Document, Editable, Limits, Timestamp, UserId, Violation,
    schema::{Form, check},
};
use crate::{Error, Result, filter::Wire};

/// What a client sends to change an entity (PATCH) or to replace it (PUT): checked as far as that
/// goes without the entity.
///
/// A client may send back all that it read: members that are not for it to change are accepted
/// where they equal what is stored, and are never assigned (CONTRACT §1).
#[derive(Debug)]
pub struct Edit<E> {
    given: BTreeMap<String, Box<RawValue>>,
    value: Value,
    replaces: bool,
    /// Whether who makes it may see the entity.
    seen: bool,
    entity: PhantomData<fn() -> E>,
}

impl<E: Editable> Edit<E> {
    /// Reads the body of a PATCH: what it does not name stays.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with every violation.
    pub fn patch(body: &Document) -> Result<Self> {
        Self::read(Form::Changing(E::FIXED), body)
    }

    /// Reads the body of a PUT: what it does not name is gone, and what must be there is named.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with every violation.
    pub fn put(body: &Document) -> Result<Self> {
        Self::read(Form::Replacing(E::FIXED), body)
    }

    fn read(form: Form, body: &Document) -> Result<Self> {
        check::<E::Details>(form, body)?;
        Ok(Self {
            given: members(body.text())?,
            value: body.value().clone(),
            replaces: matches!(form, Form::Replacing(_)),
            seen: true,
            entity: PhantomData,
        })
    }

    /// Returns the same edit, made by a caller who may not see the entity: its answer must not depend
    /// on what is stored in a fixed member, so such a member is a violation whatever it says.
    #[must_use]
    pub fn unseen(self) -> Self {
        Self { seen: false, ..self }
    }

    /// The member `name` that the client gives.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&Value> {
        self.value.get(name)
    }

    /// Makes the edit to `entity`, in the name of `by`.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] where it changes what is not for clients to change, or what it leaves
    /// breaks a rule together with what was there.
    pub fn of(&self, entity: E, now: Timestamp, by: &UserId) -> Result<E> {
        let stored = entity.wire()?;
        let changed = |name: &&&str| {
            let differs = |given: &Value| !self.seen || Some(given) != stored.get(**name);
            self.given(name).is_some_and(differs)
        };
        let (conflicts, violations): (Vec<_>, Vec<_>) = E::FIXED
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
        let mut members = match self.replaces {
            true => BTreeMap::new(),
            false => members(&json_text(&Wire::new(E::SCHEMA, &stored))?)?,
        };
        members.extend(self.given.clone());
        members.retain(|name, _| !E::FIXED.contains(&name.as_str()));
        let body = Document::parse(json_text(&members)?, Limits::BODY);
        let details = body.map_err(Error::aws("reading an edit"))?.read();
        let details = details.map_err(|error| self.told(error))?;
        Ok(entity.edited(details, now, by))
    }
}

impl<E> Edit<E> {
    /// What the caller is told of a rule that is broken together with what was stored: its parameter
    /// may be a stored value, which not everybody may see.
    fn told(&self, error: Error) -> Error {
        match error {
            Error::Invalid(violations) if !self.seen => {
                let blind = |violation| Violation {
                    message: "must suit the other members".to_owned(),
                    info: json!({}),
                    ..violation
                };
                Error::Invalid(violations.into_iter().map(blind).collect())
            }
            other => other,
        }
    }
}

/// The violation of a member that may only be repeated. It does not say what is stored.
fn fixed(name: &str) -> Violation {
    Violation {
        path: format!("/{name}"),
        code: "const",
        message: "must be equal to constant".to_owned(),
        info: json!({}),
    }
}

fn members(text: &str) -> Result<BTreeMap<String, Box<RawValue>>> {
    serde_json::from_str(text).map_err(Error::aws("reading the members of a body"))
}

fn json_text(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::aws("writing the members of a body"))
}
