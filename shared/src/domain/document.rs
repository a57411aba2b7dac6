use serde_json::{Map, Number, Value, json, value::RawValue};

use super::{Decimal, FromJson, Violation, schema::read_document};
use crate::Result;

/// What JSON text may hold, whatever it means.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most objects and arrays within one another, the outermost one included.
    levels: usize,
    /// The deepest level that is checked. What lies deeper is kept as it was sent.
    checked: usize,
    /// Whether no object may give a member twice.
    duplicates: bool,
    /// Whether numbers are stored or forwarded as they were sent.
    numbers: bool,
}

/// The most levels of objects and arrays of any body.
pub(super) const BODY_LEVELS: usize = 64;

impl Limits {
    /// The limits of any body.
    pub const BODY: Self =
        Self { levels: BODY_LEVELS, checked: usize::MAX, duplicates: true, numbers: false };

    /// The limits of the report of a build. Metadata of its resources is the fifth level: it is kept
    /// as it was sent, so that no form of it can lose the report.
    pub const REPORT: Self = Self { levels: 5, checked: 4, duplicates: true, numbers: false };

    /// The limits of numbers that are stored as text and may be read by anything.
    pub(super) const NUMBERS: Self =
        Self { levels: BODY_LEVELS, checked: usize::MAX, duplicates: false, numbers: true };

    /// The limits of text that is stored and goes out in events, of at most so many levels.
    #[must_use]
    pub const fn forwarded(levels: usize) -> Self {
        Self { levels, checked: usize::MAX, duplicates: true, numbers: true }
    }
}

/// JSON text, its value, and in what it breaks its limits.
#[derive(Clone, Debug)]
pub struct Document {
    text: String,
    value: Value,
    flaws: Vec<Violation>,
}

impl Document {
    /// Reads JSON text. Text beyond its limits is read as well; [`Document::read`] refuses it.
    ///
    /// # Errors
    ///
    /// What is wrong and where, if the text is not JSON.
    pub fn parse(text: String, limits: Limits) -> serde_json::Result<Self> {
        let mut flaws = Vec::new();
        let value = scan(&text, "", limits, &mut flaws)?;
        Ok(Self { text, value, flaws })
    }

    /// Returns the text as it was sent.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the value. Of members given twice it has the last one, and `null` for what lies deeper
    /// than the limits allow.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    pub(super) fn flaws(&self) -> &[Violation] {
        &self.flaws
    }

    /// Reads the whole document as a `T`.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`](crate::Error::Invalid) with every violation.
    pub fn read<T: FromJson>(&self) -> Result<T> {
        read_document(self)
    }
}

/// Reads the JSON `text` that stands at `path`, and adds to `flaws` where it breaks `limits`.
pub(super) fn scan(
    text: &str,
    path: &str,
    limits: Limits,
    flaws: &mut Vec<Violation>,
) -> serde_json::Result<Value> {
    // Proves the grammar without recursion; the scanner relies on it.
    let _: &RawValue = serde_json::from_str(text)?;
    Ok(Scanner { text, at: 0, path: path.to_owned(), limits, flaws }.value(0))
}

/// Reads text that is known to be JSON: `serde_json` alone tells neither the text of a number nor
/// that a member is given twice.
struct Scanner<'t, 'f> {
    text: &'t str,
    at: usize,
    path: String,
    limits: Limits,
    flaws: &'f mut Vec<Violation>,
}

impl<'t> Scanner<'t, '_> {
    /// The value that starts here, within `level` objects and arrays.
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
            // The colon.
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
        if self.limits.numbers && level <= self.limits.checked {
            let whole = !number.contains(['.', 'e', 'E']);
            if whole && number.parse::<i64>().is_err() {
                self.wrong_format("int64");
            } else if !whole && !number.parse().is_ok_and(|it: Decimal| it.is_storable()) {
                self.wrong_format("decimal");
            }
        }
        // One that no float reaches is still a number; exact ones are read from the text.
        let reached = || if number.starts_with('-') { f64::MIN } else { f64::MAX };
        number.parse::<Number>().map_or_else(|_| reached().into(), Value::Number)
    }

    fn string(&mut self, level: usize) -> String {
        serde_json::from_str(self.literal()).unwrap_or_else(|_| {
            // The grammar allows half of a surrogate pair, which is no character.
            if level <= self.limits.checked {
                self.wrong_format("unicode");
            }
            char::REPLACEMENT_CHARACTER.into()
        })
    }

    /// Passes over the string that starts here.
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

    /// Passes over the object or array that starts here.
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

    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// Goes to the place `name` below; returns the length of the path above it.
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
        Violation { path: self.path.clone(), code, message, info }.note(self.flaws);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Error;

    fn flaws(text: &str, limits: Limits) -> Vec<String> {
        let document = Document::parse(text.to_owned(), limits).unwrap();
        document.flaws.iter().map(|flaw| format!("{} {}", flaw.path, flaw.code)).collect()
    }

    #[test]
    fn a_member_that_is_given_twice_is_told_at_its_place() {
        for (text, told) in [
            (r#"{"a":1,"a":2}"#, vec!["/a duplicateMember"]),
            (r#"{"a":1,"\u0061":2,"a":3}"#, vec!["/a duplicateMember"]),
            (r#"[{"x":{"a/b":1,"~":[],"a/b":2}}]"#, vec!["/0/x/a~1b duplicateMember"]),
            (
                r#"{"":1,"":{}, "b" : {"c":1 , "c":1}}"#,
                vec!["/ duplicateMember", "/b/c duplicateMember"],
            ),
            (r#"{"a":{"b":1},"b":{"a":1},"A":1}"#, vec![]),
        ] {
            assert_eq!(flaws(text, Limits::BODY), told, "{text}");
        }
    }

    #[test]
    fn levels_are_counted_from_the_outermost_object_on() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let limits = Limits::forwarded(3);
        assert_eq!(flaws(&nested(3), limits), Vec::<String>::new());
        assert_eq!(flaws(&nested(4), limits), ["/0/0/0 maxDepth"]);
        assert_eq!(
            flaws(r#"[[[{"a":"]\"}"},"x"],[[]]],[]]"#, limits),
            ["/0/0/0 maxDepth", "/0/1/0 maxDepth"]
        );
        // Far beyond what can be read by recursion.
        assert_eq!(flaws(&nested(100_000), Limits::BODY).len(), 1);
    }

    #[test]
    fn a_number_that_is_forwarded_is_one_that_the_next_stop_has() {
        let limits = Limits::forwarded(20);
        for number in [
            "0",
            "-0",
            "9223372036854775807",
            "-9223372036854775808",
            "1e125",
            "9.99e125",
            "1E-130",
            "-1e-130",
            "0.0",
            "0e9",
            "12345678901234567.89",
            "1.0",
            "1e25",
        ] {
            assert_eq!(flaws(number, limits), Vec::<String>::new(), "{number}");
        }
        for number in ["9223372036854775808", "-9223372036854775809", "99999999999999999999999"] {
            assert_eq!(flaws(&format!("[{number}]"), limits), ["/0 format"], "{number}");
        }
        for number in ["1e126", "-1e126", "1e400", "9.9e-131", "1e99999999999", "1e-99999999999"] {
            assert_eq!(flaws(&format!("[{number}]"), limits), ["/0 format"], "{number}");
            assert_eq!(flaws(number, Limits::BODY), Vec::<String>::new(), "{number}");
        }
    }

    #[test]
    fn what_lies_deeper_than_is_checked_is_never_refused() {
        let hostile =
            r#"{"a":[1e400,99999999999999999999,{"":1,"":2}],"b":"\ud800","\udfff":1,"b":1}"#;
        let text = format!(r#"{{"d":{{"r":[{{"m":{hostile}}}]}}}}"#);
        let document = Document::parse(text, Limits::REPORT).unwrap();
        assert!(document.flaws.is_empty(), "{:?}", document.flaws);
        assert_eq!(document.value["d"]["r"][0]["m"]["a"], Value::Null);
        assert_eq!(
            flaws(r#"{"a":["\ud800"],"\udfff":1}"#, Limits::BODY),
            ["/a/0 format", " format"]
        );
    }

    #[test]
    fn an_answer_tells_of_a_thousand_flaws_in_places_of_a_kilobyte() {
        let long = "x".repeat(2000);
        let twice = (0..5000).map(|n| format!(r#""{n}":1,"{n}":1"#)).collect::<Vec<_>>().join(",");
        let text = format!(r#"{{"a":{{"{long}":{{{twice}}}}}}}"#);
        let Err(Error::Invalid(told)) = Document::parse(text, Limits::BODY).unwrap().read::<bool>()
        else {
            panic!()
        };
        assert_eq!((told.len(), told[0].path.as_str()), (1000, "/a"));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            proptest::num::f64::NORMAL.prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 64, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(".*", inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn json_is_read_as_serde_reads_it(value in any_json(), pretty in any::<bool>()) {
            let text = if pretty { format!("\n {value:#}\t") } else { value.to_string() };
            let document = Document::parse(text.clone(), Limits::BODY).unwrap();
            prop_assert_eq!(&document.value, &serde_json::from_str::<Value>(&text).unwrap());
            prop_assert!(document.flaws.is_empty());
        }

        #[test]
        fn text_that_is_not_json_is_refused_as_serde_refuses_it(text in r#"[\[\]{}",:0-9eE.+\-a\\ ]{0,24}"#) {
            let known: serde_json::Result<Value> = serde_json::from_str(&text);
            let read = Document::parse(text, Limits::BODY);
            prop_assert!(known.is_err() || read.is_ok());
            prop_assert_eq!(known.as_ref().ok(), read.as_ref().ok().filter(|_| known.is_ok()).map(|read| &read.value));
        }
    }
}
