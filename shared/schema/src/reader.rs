use std::collections::HashMap;

use serde_json::{Value, json, value::RawValue};

use crate::{
    Violation,
    scan::{Limits, scan},
};

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
    /// Creates a reader for the top level of a body with this `text`, which adds violations to
    /// `found`.
    pub(crate) fn new(
        kind: BodyKind,
        text: Option<&'a str>,
        found: &'a mut Vec<Violation>,
    ) -> Self {
        Self { path: String::new(), base: 0, kind, text, found }
    }

    /// Notes a violation at this position.
    pub fn violate(&mut self, code: &'static str, message: impl Into<String>, info: Value) {
        let (path, message) = (self.path.clone(), message.into());
        Violation { path, code, message, info }.add_to(self.found);
    }

    /// Returns a reader for the member `name`.
    pub fn member(&mut self, name: &str) -> Reader<'_> {
        let escaped = name.replace('~', "~0").replace('/', "~1");
        let path = format!("{}/{escaped}", self.path);
        Reader { path, base: self.base, kind: BodyKind::Whole, text: self.text, found: self.found }
    }

    /// Reborrows this reader.
    pub(crate) fn reborrow(&mut self) -> Reader<'_> {
        Reader {
            path: self.path.clone(),
            base: self.base,
            kind: self.kind,
            text: self.text,
            found: self.found,
        }
    }

    /// Returns a reader for the item at `position` with its `text`, so that the text is not
    /// searched for again for each item.
    pub(crate) fn item(&mut self, position: usize, text: Option<&'a str>) -> Reader<'_> {
        let mut item = self.member(&position.to_string());
        if text.is_some() {
            (item.base, item.text) = (item.path.len(), text);
        }
        item
    }

    /// Returns the text of the value as it was sent, or `None` if it is not known.
    pub(crate) fn sent(&self) -> Option<&'a str> {
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

    /// Notes a violation for every number in the JSON `text` that `limits` refuse.
    pub fn check_numbers(&mut self, text: &str, limits: Limits) {
        // Text that is not JSON was refused earlier.
        let _ = scan(text, &self.path, limits, self.found);
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

    /// Notes that the text does not match `pattern`, for which `rule` has words.
    pub fn wrong_pattern(&mut self, pattern: &'static str, rule: &str) {
        self.violate("pattern", rule, json!({ "pattern": pattern }));
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

#[cfg(test)]
mod tests;
