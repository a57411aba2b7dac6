use serde_json::{Map, Value, json};

use super::{FromJson, Reader, schema::Form};

/// A value that is an object, read by its members; others of the same object may be read beside it.
pub trait FromMembers: Sized {
    /// The value, or `None` once every violation is noted.
    fn from_members(members: &mut Members<'_, '_>) -> Option<Self>;
}

impl<T: FromMembers> FromJson for T {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let mut members = at.members(value)?;
        let read = Self::from_members(&mut members);
        members.finish();
        read
    }
}

/// The members of an object, read by name; what nobody read is refused at the end.
#[derive(Debug)]
pub struct Members<'v, 'r> {
    object: &'v Map<String, Value>,
    at: Reader<'r>,
    known: Vec<&'static str>,
}

impl<'v, 'r> Members<'v, 'r> {
    pub(super) fn of(object: &'v Map<String, Value>, at: Reader<'r>) -> Self {
        Self { object, at, known: Vec::new() }
    }

    /// A member that must be there.
    pub fn required<T: FromJson>(&mut self, name: &'static str) -> Option<T> {
        self.known.push(name);
        if let Some(value) = self.object.get(name) {
            return T::from_json(value, &mut self.at.at(name));
        }
        if !matches!(self.at.form, Form::Changing(_)) {
            let message = format!("must have required property '{name}'");
            self.at.violate("required", message, json!({ "missingProperty": name }));
        }
        None
    }

    /// A member that may be absent or `null`.
    pub fn optional<T: FromJson>(&mut self, name: &'static str) -> Option<T> {
        T::from_json(self.raw(name)?, &mut self.at.at(name))
    }

    /// A member as it is, of any type; `None` where it is absent or `null`.
    pub fn raw(&mut self, name: &'static str) -> Option<&'v Value> {
        self.known.push(name);
        self.object.get(name).filter(|value| !value.is_null())
    }

    /// The place of the member `name`.
    pub fn at(&mut self, name: &str) -> Reader<'_> {
        self.at.at(name)
    }

    /// Refuses every member that was not asked for.
    pub fn finish(mut self) {
        if let Form::Replacing(fixed) | Form::Changing(fixed) = self.at.form {
            self.known.extend(fixed);
        }
        for name in self.object.keys().filter(|name| !self.known.contains(&name.as_str())) {
            let info = json!({ "additionalProperty": name });
            self.at.violate("additionalProperties", "must NOT have additional properties", info);
        }
    }
}
