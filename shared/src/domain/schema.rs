//! Reading a JSON body into values that are valid, with every violation of it in one answer.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Map, Value, json, value::RawValue};

use super::{Timestamp, members::Object};
use crate::{Error, Result};

/// One way in which a body breaks its schema (CONTRACT §1, Errors).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Violation {
    /// A JSON pointer (RFC 6901) to the value, or to the object that lacks or has too much.
    pub path: String,
    /// The JSON Schema keyword that is broken.
    pub code: &'static str,
    /// The rule, in the words of JSON Schema validators.
    pub message: String,
    /// The keyword's parameter.
    pub info: Value,
}

/// A value that can be read from JSON and is valid once it is.
pub trait FromJson: Sized {
    /// The value, or `None` once every violation is noted at `at`.
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self>;

    /// What such a value is, as a JSON Schema (2020-12); the OpenAPI document is made of it.
    #[must_use]
    fn schema() -> Value;
}

/// Reads a whole body whose numbers are at most integers of 64 bits; others are only approximate in
/// a [`Value`], so that an exact decimal has to be read with [`read_text`].
///
/// # Errors
///
/// [`Error::Invalid`] with every violation.
pub fn read<T: FromJson>(body: &Value) -> Result<T> {
    read_from(None, body)
}

/// Reads a whole body, `text`, whose value is `body`; every number is at hand as it was sent.
///
/// # Errors
///
/// [`Error::Invalid`] with every violation.
pub fn read_text<T: FromJson>(text: &str, body: &Value) -> Result<T> {
    read_from(Some(text), body)
}

fn read_from<T: FromJson>(text: Option<&str>, body: &Value) -> Result<T> {
    let (value, violations) = look(Form::Whole, text, body);
    value.filter(|_| violations.is_empty()).ok_or(Error::Invalid(violations))
}

/// Checks what can be checked of an edit before the entity is at hand ([`Edit`](super::Edit)).
pub(super) fn check<T: FromJson>(form: Form, text: &str, body: &Value) -> Result<()> {
    let (_, violations): (Option<T>, _) = look(form, Some(text), body);
    if violations.is_empty() { Ok(()) } else { Err(Error::Invalid(violations)) }
}

fn look<T: FromJson>(form: Form, text: Option<&str>, body: &Value) -> (Option<T>, Vec<Violation>) {
    let mut found = Vec::new();
    let value =
        T::from_json(body, &mut Reader { path: String::new(), form, text, found: &mut found });
    (value, found)
}

/// What a body is held to be, at its top level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// All of a value, and nothing else.
    Whole,
    /// All of a value that replaces another one, whose fixed members may be repeated.
    Replacing(&'static [&'static str]),
    /// What changes in a value: any of its members, and of its fixed ones.
    Changing(&'static [&'static str]),
}

/// A place in the body, where violations are noted.
#[derive(Debug)]
pub struct Reader<'a> {
    path: String,
    pub(super) form: Form,
    text: Option<&'a str>,
    found: &'a mut Vec<Violation>,
}

impl Reader<'_> {
    /// Notes a violation here.
    pub fn violate(&mut self, code: &'static str, message: impl Into<String>, info: Value) {
        let (path, message) = (self.path.clone(), message.into());
        self.found.push(Violation { path, code, message, info });
    }

    /// The place `name` below this one.
    pub fn at(&mut self, name: &str) -> Reader<'_> {
        let escaped = name.replace('~', "~0").replace('/', "~1");
        let path = format!("{}/{escaped}", self.path);
        Reader { path, form: Form::Whole, text: self.text, found: self.found }
    }

    /// This place once more.
    pub(super) fn here(&mut self) -> Reader<'_> {
        Reader { path: self.path.clone(), form: self.form, text: self.text, found: self.found }
    }

    /// The members of the object here.
    pub(super) fn object<'v>(&mut self, value: &'v Value) -> Option<Object<'v, '_>> {
        let Value::Object(object) = value else {
            self.wrong_type("object");
            return None;
        };
        Some(Object::of(object, self.here()))
    }

    /// The text here, of `min` to `max` characters.
    pub fn text<'v>(&mut self, value: &'v Value, min: usize, max: usize) -> Option<&'v str> {
        let Value::String(text) = value else {
            self.wrong_type("string");
            return None;
        };
        let length = text.chars().count();
        if length < min {
            let message = format!("must NOT have fewer than {min} characters");
            self.violate("minLength", message, json!({ "limit": min }));
            return None;
        }
        if length > max {
            let message = format!("must NOT have more than {max} characters");
            self.violate("maxLength", message, json!({ "limit": max }));
            return None;
        }
        Some(text)
    }

    /// The number here as it was sent, digit for digit; `None` where it is not known so exactly.
    pub fn number(&mut self, value: &Value) -> Option<String> {
        let Value::Number(number) = value else {
            self.wrong_type("number");
            return None;
        };
        let exact = match self.text {
            Some(text) => text_at(text, &self.path).map(str::to_owned),
            None => (!number.is_f64()).then(|| number.to_string()),
        };
        if exact.is_none() {
            self.wrong_format("decimal");
        }
        exact
    }

    /// The value here as JSON text: as it was sent, where that is known.
    pub fn text_of(&self, value: &Value) -> String {
        let sent = self.text.and_then(|text| text_at(text, &self.path));
        sent.map_or_else(|| value.to_string(), str::to_owned)
    }

    /// Notes that the value here is not of the type `expected`.
    pub fn wrong_type(&mut self, expected: &'static str) {
        self.violate("type", format!("must be {expected}"), json!({ "type": expected }));
    }

    /// Notes that the text here is not of `format`.
    pub fn wrong_format(&mut self, format: &'static str) {
        let message = format!("must match format \"{format}\"");
        self.violate("format", message, json!({ "format": format }));
    }

    /// Notes that the text here does not match `pattern`.
    pub fn wrong_pattern(&mut self, pattern: &'static str) {
        let message = format!("must match pattern \"{pattern}\"");
        self.violate("pattern", message, json!({ "pattern": pattern }));
    }

    /// Notes that the value here is none of `allowed`.
    pub fn not_allowed(&mut self, allowed: &Value) {
        let message = "must be equal to one of the allowed values";
        self.violate("enum", message, json!({ "allowedValues": allowed }));
    }
}

/// The text of the value at the JSON pointer `path` of the document `text`.
fn text_at<'t>(text: &'t str, path: &str) -> Option<&'t str> {
    let mut here: &RawValue = serde_json::from_str(text).ok()?;
    for part in path.split('/').skip(1) {
        let name = part.replace("~1", "/").replace("~0", "~");
        here = if here.get().starts_with('[') {
            let items: Vec<&RawValue> = serde_json::from_str(here.get()).ok()?;
            items.get(name.parse::<usize>().ok()?).copied()?
        } else {
            let mut members: HashMap<String, &RawValue> = serde_json::from_str(here.get()).ok()?;
            members.remove(&name)?
        };
    }
    Some(here.get())
}

impl FromJson for bool {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        value.as_bool().or_else(|| {
            at.wrong_type("boolean");
            None
        })
    }

    fn schema() -> Value {
        json!({ "type": "boolean" })
    }
}

impl FromJson for Map<String, Value> {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        value.as_object().cloned().or_else(|| {
            at.wrong_type("object");
            None
        })
    }

    fn schema() -> Value {
        json!({ "type": "object" })
    }
}

impl FromJson for Timestamp {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        at.text(value, 1, 40)?.parse().ok().or_else(|| {
            at.wrong_format("date-time");
            None
        })
    }

    fn schema() -> Value {
        json!({ "type": "string", "format": "date-time", "maxLength": 40 })
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let Value::Array(items) = value else {
            at.wrong_type("array");
            return None;
        };
        let read: Vec<Option<T>> = items
            .iter()
            .enumerate()
            .map(|(position, item)| T::from_json(item, &mut at.at(&position.to_string())))
            .collect();
        read.into_iter().collect()
    }

    fn schema() -> Value {
        json!({ "type": "array", "items": T::schema() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_as_it_was_sent() {
        let text = r#" {"a/b": [1, {"\u0061": 1.50E+1 }], "a": 1, "a": 12345678901234567.89} "#;
        assert_eq!(text_at(text, "/a~1b/1/a"), Some("1.50E+1"));
        assert_eq!(text_at(text, "/a~1b/0"), Some("1"));
        assert_eq!(text_at(text, "/a"), Some("12345678901234567.89"));
        assert_eq!(text_at(text, "/b"), None);
        assert_eq!(text_at(" 7 ", ""), Some("7"));
    }
}
