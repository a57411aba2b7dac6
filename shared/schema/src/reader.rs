//! Reads JSON bodies into valid values and reports all violations at once.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Map, Value, json, value::RawValue};

use crate::{Document, Timestamp};
use crate::{
    document::{Limits, scan},
    members::Object,
};

/// One violation of a body's schema.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Violation {
    /// A JSON pointer (RFC 6901) to the invalid value, or to the object with a missing or
    /// additional member.
    pub path: String,
    /// The violated JSON Schema keyword.
    pub code: &'static str,
    /// The rule, worded as by JSON Schema validators.
    pub message: String,
    /// The parameters of the keyword.
    pub info: Value,
}

/// A body that breaks its schema: every violation, in the order of the schema.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("The request body is invalid. See error object `details` property for more info.")]
pub struct Invalid(pub Vec<Violation>);

/// The maximum number of violations in one answer.
const MAX_VIOLATIONS: usize = 1000;

/// The maximum length of a violation's path in bytes. A longer path is shortened to the nearest
/// parent that fits.
const MAX_PATH_BYTES: usize = 1024;

impl Violation {
    /// Adds the violation to `found` unless the maximum number is reached.
    pub(crate) fn add_to(mut self, found: &mut Vec<Self>) {
        if found.len() >= MAX_VIOLATIONS {
            return;
        }
        while self.path.len() > MAX_PATH_BYTES {
            let above = self.path.rfind('/').unwrap_or(0);
            self.path.truncate(above);
        }
        found.push(self);
    }
}

/// A value that is validated when it is read from JSON.
pub trait FromJson: Sized {
    /// Reads the value, or notes every violation at `at` and returns `None`.
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self>;

    /// Returns the JSON Schema (2020-12) of the value, for the OpenAPI document.
    #[must_use]
    fn schema() -> Value;
}

/// Reads a body that contains no decimals. A [`Value`] holds only integers of at most 64 bits
/// exactly; read exact decimals from a [`Document`].
///
/// # Errors
///
/// [`Invalid`] with every violation.
pub fn read<T: FromJson>(body: &Value) -> Result<T, Invalid> {
    finished(read_with_violations(BodyKind::Whole, None, body, Vec::new()))
}

/// Reads a body with exact numbers.
///
/// # Errors
///
/// [`Invalid`] with every violation.
pub(crate) fn read_document<T: FromJson>(body: &Document) -> Result<T, Invalid> {
    finished(read_with_violations(
        BodyKind::Whole,
        Some(body.text()),
        body.value(),
        body.violations().to_vec(),
    ))
}

/// Checks a body of which `form` says what it is held to be, without making a value of it.
///
/// # Errors
///
/// [`Invalid`] with every violation.
pub fn check<T: FromJson>(kind: BodyKind, body: &Document) -> Result<(), Invalid> {
    let (_, violations): (Option<T>, _) =
        read_with_violations(kind, Some(body.text()), body.value(), body.violations().to_vec());
    if violations.is_empty() { Ok(()) } else { Err(Invalid(violations)) }
}

fn finished<T>((value, violations): (Option<T>, Vec<Violation>)) -> Result<T, Invalid> {
    value.filter(|_| violations.is_empty()).ok_or(Invalid(violations))
}

/// Reads a body. `found` are the violations of its text.
fn read_with_violations<T: FromJson>(
    kind: BodyKind,
    text: Option<&str>,
    body: &Value,
    mut found: Vec<Violation>,
) -> (Option<T>, Vec<Violation>) {
    let mut at = Reader { path: String::new(), base: 0, kind, text, found: &mut found };
    let value = T::from_json(body, &mut at);
    (value, found)
}

/// How the top level of a body is validated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// A complete value.
    Whole,
    /// A complete value that replaces another. These read-only members may be given too.
    Replacing(&'static [&'static str]),
    /// A change: no member is required, and these read-only members may be given too.
    Changing(&'static [&'static str]),
}

/// A position in the body, which notes violations.
#[derive(Debug)]
pub struct Reader<'a> {
    path: String,
    /// The length of the path of the value with the text `text`.
    base: usize,
    pub(crate) kind: BodyKind,
    text: Option<&'a str>,
    found: &'a mut Vec<Violation>,
}

impl<'a> Reader<'a> {
    /// Notes a violation at this position.
    pub fn violate(&mut self, code: &'static str, message: impl Into<String>, info: Value) {
        let (path, message) = (self.path.clone(), message.into());
        Violation { path, code, message, info }.add_to(self.found);
    }

    /// Returns a reader for the member `name`.
    pub fn member(&mut self, name: &str) -> Reader<'_> {
        let escaped = name.replace('~', "~0").replace('/', "~1");
        let path = format!("{}/{escaped}", self.path);
        let (base, text) = (self.base, self.text);
        Reader { path, base, kind: BodyKind::Whole, text, found: self.found }
    }

    /// Reborrows this reader.
    pub(crate) fn reborrow(&mut self) -> Reader<'_> {
        let (path, base, kind, text) = (self.path.clone(), self.base, self.kind, self.text);
        Reader { path, base, kind, text, found: self.found }
    }

    /// Returns a reader for the item at `position` with its `text`, so that the text is not
    /// searched for again for each item.
    fn item(&mut self, position: usize, text: Option<&'a str>) -> Reader<'_> {
        let mut item = self.member(&position.to_string());
        if text.is_some() {
            (item.base, item.text) = (item.path.len(), text);
        }
        item
    }

    /// Returns the text of the value as it was sent, or `None` if it is not known.
    fn sent(&self) -> Option<&'a str> {
        text_at(self.text?, self.path.get(self.base..)?)
    }

    /// Notes a violation if the array has more than `most` items. Returns whether it is within the
    /// limit.
    pub fn at_most(&mut self, value: &Value, most: usize) -> bool {
        let fits = value.as_array().is_none_or(|items| items.len() <= most);
        if !fits {
            let message = format!("must NOT have more than {most} items");
            self.violate("maxItems", message, json!({ "limit": most }));
        }
        fits
    }

    /// Notes a violation if `many` bytes are more than `most`. Returns whether they are within the
    /// limit.
    pub fn within_bytes(&mut self, many: usize, most: usize) -> bool {
        if many > most {
            let message = format!("must NOT have more than {most} bytes");
            self.violate("maxBytes", message, json!({ "limit": most }));
        }
        many <= most
    }

    /// Notes a violation for every number in the JSON `text` that other programs may not read
    /// exactly.
    pub fn check_numbers(&mut self, text: &str) {
        // Text that is not JSON was refused earlier.
        let _ = scan(text, &self.path, Limits::NUMBERS, self.found);
    }

    /// Returns the members of the object.
    pub(crate) fn object<'v>(&mut self, value: &'v Value) -> Option<Object<'v, '_>> {
        let Value::Object(object) = value else {
            self.wrong_type("object");
            return None;
        };
        Some(Object::new(object, self.reborrow()))
    }

    /// Returns the text if it has `min` to `max` characters.
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

    /// Returns the digits of the number as they were sent, or `None` if they are not known exactly.
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

    /// Returns the value as JSON text: as it was sent if that is known, otherwise serialized again.
    pub fn text_of(&self, value: &Value) -> String {
        self.sent().map_or_else(|| value.to_string(), str::to_owned)
    }

    /// Notes that the value does not have the type `expected`.
    pub fn wrong_type(&mut self, expected: &'static str) {
        self.violate("type", format!("must be {expected}"), json!({ "type": expected }));
    }

    /// Notes that the text does not have this `format`.
    pub fn wrong_format(&mut self, format: &'static str) {
        let message = format!("must match format \"{format}\"");
        self.violate("format", message, json!({ "format": format }));
    }

    /// Notes that the text does not match `pattern`.
    pub fn wrong_pattern(&mut self, pattern: &'static str) {
        let message = format!("must match pattern \"{pattern}\"");
        self.violate("pattern", message, json!({ "pattern": pattern }));
    }

    /// Notes that the value is not one of the `allowed` values.
    pub fn not_allowed(&mut self, allowed: &Value) {
        let message = "must be equal to one of the allowed values";
        self.violate("enum", message, json!({ "allowedValues": allowed }));
    }
}

/// Returns the text of the value at the JSON pointer `path` in the document `text`.
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
