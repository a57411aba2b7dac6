//! Reading a JSON body into values that are valid, with every violation of it in one answer.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Map, Value, json, value::RawValue};

use super::{
    Document, Timestamp,
    document::{Limits, scan},
    members::Object,
};
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

/// The most violations that one answer lists.
const MOST_VIOLATIONS: usize = 1000;

/// The longest path of a violation, in bytes; of a longer one the nearest place above is named.
const LONGEST_PATH: usize = 1024;

impl Violation {
    /// Adds it to those `found`, while an answer has room for it.
    pub(super) fn note(mut self, found: &mut Vec<Self>) {
        if found.len() >= MOST_VIOLATIONS {
            return;
        }
        while self.path.len() > LONGEST_PATH {
            let above = self.path.rfind('/').unwrap_or(0);
            self.path.truncate(above);
        }
        found.push(self);
    }
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
/// a [`Value`], so that an exact decimal has to be read from a [`Document`].
///
/// # Errors
///
/// [`Error::Invalid`] with every violation.
pub fn read<T: FromJson>(body: &Value) -> Result<T> {
    finished(look(Form::Whole, None, body, Vec::new()))
}

/// Reads a whole body; every number is at hand as it was sent.
///
/// # Errors
///
/// [`Error::Invalid`] with every violation.
pub(super) fn read_document<T: FromJson>(body: &Document) -> Result<T> {
    finished(look(Form::Whole, Some(body.text()), body.value(), body.flaws().to_vec()))
}

/// Checks what can be checked of an edit before the entity is at hand ([`Edit`](super::Edit)).
pub(super) fn check<T: FromJson>(form: Form, body: &Document) -> Result<()> {
    let (_, violations): (Option<T>, _) =
        look(form, Some(body.text()), body.value(), body.flaws().to_vec());
    if violations.is_empty() { Ok(()) } else { Err(Error::Invalid(violations)) }
}

fn finished<T>((value, violations): (Option<T>, Vec<Violation>)) -> Result<T> {
    value.filter(|_| violations.is_empty()).ok_or(Error::Invalid(violations))
}

/// Reads a body whose violations `found` so far are those of its text.
fn look<T: FromJson>(
    form: Form,
    text: Option<&str>,
    body: &Value,
    mut found: Vec<Violation>,
) -> (Option<T>, Vec<Violation>) {
    let mut at = Reader { path: String::new(), base: 0, form, text, found: &mut found };
    let value = T::from_json(body, &mut at);
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
    /// The length of the path of what `text` is the text of.
    base: usize,
    pub(super) form: Form,
    text: Option<&'a str>,
    found: &'a mut Vec<Violation>,
}

impl<'a> Reader<'a> {
    /// Notes a violation here.
    pub fn violate(&mut self, code: &'static str, message: impl Into<String>, info: Value) {
        let (path, message) = (self.path.clone(), message.into());
        Violation { path, code, message, info }.note(self.found);
    }

    /// The place `name` below this one.
    pub fn at(&mut self, name: &str) -> Reader<'_> {
        let escaped = name.replace('~', "~0").replace('/', "~1");
        let path = format!("{}/{escaped}", self.path);
        let (base, text) = (self.base, self.text);
        Reader { path, base, form: Form::Whole, text, found: self.found }
    }

    /// This place once more.
    pub(super) fn here(&mut self) -> Reader<'_> {
        let (path, base, form, text) = (self.path.clone(), self.base, self.form, self.text);
        Reader { path, base, form, text, found: self.found }
    }

    /// The item at `position` below this place, whose text is `text`: so it is found at once, however
    /// many there are.
    fn item(&mut self, position: usize, text: Option<&'a str>) -> Reader<'_> {
        let mut item = self.at(&position.to_string());
        if text.is_some() {
            (item.base, item.text) = (item.path.len(), text);
        }
        item
    }

    /// The text here as it was sent, if it is known.
    fn sent(&self) -> Option<&'a str> {
        text_at(self.text?, self.path.get(self.base..)?)
    }

    /// Notes it if the array here has more than `most` items.
    pub fn at_most(&mut self, value: &Value, most: usize) -> bool {
        let fits = value.as_array().is_none_or(|items| items.len() <= most);
        if !fits {
            let message = format!("must NOT have more than {most} items");
            self.violate("maxItems", message, json!({ "limit": most }));
        }
        fits
    }

    /// Notes it if `many` bytes of text are more than the `most` that may be here.
    pub fn within_bytes(&mut self, many: usize, most: usize) -> bool {
        if many > most {
            let message = format!("must NOT have more than {most} bytes");
            self.violate("maxBytes", message, json!({ "limit": most }));
        }
        many <= most
    }

    /// Notes every number in the JSON `text` here that is not kept as it is by whatever reads it.
    pub(super) fn check_numbers(&mut self, text: &str) {
        // Text that is not JSON was refused before.
        let _ = scan(text, &self.path, Limits::NUMBERS, self.found);
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
            Some(_) => self.sent().map(str::to_owned),
            None => (!number.is_f64()).then(|| number.to_string()),
        };
        if exact.is_none() {
            self.wrong_format("decimal");
        }
        exact
    }

    /// The value here as JSON text: as it was sent, where that is known.
    pub fn text_of(&self, value: &Value) -> String {
        self.sent().map_or_else(|| value.to_string(), str::to_owned)
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
        let texts: Vec<&RawValue> =
            at.sent().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let read: Vec<Option<T>> = items
            .iter()
            .enumerate()
            .map(|(position, item)| {
                let text = texts.get(position).map(|text| text.get());
                T::from_json(item, &mut at.item(position, text))
            })
            .collect();
        read.into_iter().collect()
    }

    fn schema() -> Value {
        json!({ "type": "array", "items": T::schema() })
    }
}

#[cfg(test)]
mod tests;
