use serde_json::{Map, Number, Value, json, value::RawValue};

use crate::{Decimal, Violation};

/// Limits of a JSON text, independent of its schema.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The maximum nesting of objects and arrays, including the outermost one.
    levels: usize,
    /// The deepest level that is checked. Deeper values are kept as they were sent.
    checked: usize,
    /// Whether duplicate members are refused.
    duplicates: bool,
    /// Which numbers are accepted.
    numbers: Numbers,
}

/// Which numbers a JSON text may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Numbers {
    /// All.
    Any,
    /// Integers of 64 bits, with or without a sign, and storable decimals.
    Storable,
    /// Signed integers of 64 bits, because `EventBridge` refuses others, and storable decimals.
    Forwardable,
}

impl Numbers {
    /// Returns the format that `number` should have had. Returns `None` if it is accepted.
    fn refuse(self, number: &str) -> Option<&'static str> {
        let is_signed = self == Self::Forwardable || number.starts_with('-');
        let (fits, format) = if self == Self::Any {
            return None;
        } else if number.contains(['.', 'e', 'E']) {
            (number.parse().is_ok_and(|number: Decimal| number.is_storable()), "decimal")
        } else if is_signed {
            (number.parse::<i64>().is_ok(), "int64")
        } else {
            (number.parse::<u64>().is_ok(), "uint64")
        };
        (!fits).then_some(format)
    }
}

/// The maximum nesting of objects and arrays in a body.
pub(crate) const BODY_LEVELS: usize = 64;

impl Limits {
    /// The limits of a request body.
    pub const BODY: Self =
        Self { levels: BODY_LEVELS, checked: usize::MAX, duplicates: true, numbers: Numbers::Any };

    /// The limits of a build's report. The metadata of its resources is the fifth level: it is kept
    /// as it was sent, so that a report is never refused because of its metadata.
    pub const REPORT: Self =
        Self { levels: 5, checked: 4, duplicates: true, numbers: Numbers::Any };

    /// The limits of text whose numbers are stored as text and read by unknown programs.
    pub const NUMBERS: Self = Self {
        levels: BODY_LEVELS,
        checked: usize::MAX,
        duplicates: false,
        numbers: Numbers::Storable,
    };

    /// The limits of text whose numbers are sent in events.
    pub const FORWARDED_NUMBERS: Self = Self { numbers: Numbers::Forwardable, ..Self::NUMBERS };

    /// Returns the limits of text that is stored and sent in events, with this maximum nesting.
    #[must_use]
    pub const fn forwarded(levels: usize) -> Self {
        Self { levels, checked: usize::MAX, duplicates: true, numbers: Numbers::Forwardable }
    }
}

/// Parses the JSON `text` at `path` and adds each violation of `limits` to `violations`.
pub(crate) fn scan(
    text: &str,
    path: &str,
    limits: Limits,
    violations: &mut Vec<Violation>,
) -> serde_json::Result<Value> {
    // Checks the syntax without recursion. The scanner relies on valid syntax.
    let _: &RawValue = serde_json::from_str(text)?;
    Ok(Scanner { text, at: 0, path: path.to_owned(), limits, violations }.value(0))
}

/// Parses text that is known to be valid JSON. `serde_json` alone reports neither the text of a
/// number nor duplicate members.
struct Scanner<'t, 'f> {
    text: &'t str,
    at: usize,
    path: String,
    limits: Limits,
    violations: &'f mut Vec<Violation>,
}

impl<'t> Scanner<'t, '_> {
    /// Parses the value at the current position, which is nested in `level` objects and arrays.
    fn value(&mut self, level: usize) -> Value {
        match self.peek() {
            Some(b'{' | b'[') if level >= self.limits.levels => self.too_deep(level + 1),
            Some(b'{') => self.object(level + 1),
            Some(b'[') => self.array(level + 1),
            Some(b'"') => Value::String(self.string(level)),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => self.number(level),
        }
    }

    fn object(&mut self, level: usize) -> Value {
        let (mut members, mut twice) = (Map::new(), Map::new());
        self.at += 1;
        while let Some(byte) = self.peek() {
            if byte != b'"' {
                self.at += 1;
                if byte == b'}' {
                    break;
                }
                continue;
            }
            let name = self.string(level);
            // Skip the colon.
            self.peek();
            self.at += 1;
            let above = self.step(&name.replace('~', "~0").replace('/', "~1"));
            let value = self.value(level);
            if members.contains_key(&name) && twice.insert(name.clone(), Value::Null).is_none() {
                self.given_twice(&name, level);
            }
            members.insert(name, value);
            self.path.truncate(above);
        }
        Value::Object(members)
    }

    fn array(&mut self, level: usize) -> Value {
        let mut items = Vec::new();
        self.at += 1;
        while let Some(byte) = self.peek() {
            if byte == b']' || byte == b',' {
                self.at += 1;
                if byte == b']' {
                    break;
                }
                continue;
            }
            let above = self.step(&items.len().to_string());
            items.push(self.value(level));
            self.path.truncate(above);
        }
        Value::Array(items)
    }

    fn number(&mut self, level: usize) -> Value {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'));
        let number = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        self.at += number.len().max(1);
        if level <= self.limits.checked
            && let Some(format) = self.limits.numbers.refuse(number)
        {
            self.wrong_format(format);
        }
        // A number beyond the range of floats is clamped; exact numbers are read from the text.
        let reached = || if number.starts_with('-') { f64::MIN } else { f64::MAX };
        number.parse::<Number>().map_or_else(|_| reached().into(), Value::Number)
    }

    fn string(&mut self, level: usize) -> String {
        serde_json::from_str(self.literal()).unwrap_or_else(|_| {
            // JSON's grammar allows unpaired surrogates, which are not characters.
            if level <= self.limits.checked {
                self.wrong_format("unicode");
            }
            char::REPLACEMENT_CHARACTER.into()
        })
    }

    /// Skips the string at the current position and returns its text.
    fn literal(&mut self) -> &'t str {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.text.as_bytes().get(self.at) {
            self.at += if *byte == b'\\' { 2 } else { 1 };
            if *byte == b'"' {
                break;
            }
        }
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Skips the object or array at the current position and notes the violation.
    fn too_deep(&mut self, level: usize) -> Value {
        if level <= self.limits.checked {
            let limit = self.limits.levels;
            let message = format!("must NOT have more than {limit} levels");
            self.note("maxDepth", message, json!({ "limit": limit }));
        }
        let mut open = 0_usize;
        while let Some(byte) = self.text.as_bytes().get(self.at) {
            match byte {
                b'"' => {
                    self.literal();
                    continue;
                }
                b'{' | b'[' => open += 1,
                b'}' | b']' => open = open.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                break;
            }
        }
        Value::Null
    }

    fn word(&mut self, word: &str, value: Value) -> Value {
        self.at += word.len();
        value
    }

    /// Skips white space and returns the next byte without consuming it.
    fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// Appends `name` to the path and returns the previous length of the path.
    fn step(&mut self, name: &str) -> usize {
        let above = self.path.len();
        self.path.push('/');
        self.path.push_str(name);
        above
    }

    fn given_twice(&mut self, name: &str, level: usize) {
        if self.limits.duplicates && level <= self.limits.checked {
            let message = "must NOT be given more than once".to_owned();
            self.note("duplicateMember", message, json!({ "member": name }));
        }
    }

    fn wrong_format(&mut self, format: &str) {
        let message = format!("must match format \"{format}\"");
        self.note("format", message, json!({ "format": format }));
    }

    fn note(&mut self, code: &'static str, message: String, info: Value) {
        Violation { path: self.path.clone(), code, message, info }.add_to(self.violations);
    }
}
