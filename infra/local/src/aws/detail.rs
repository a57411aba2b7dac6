//! The rules for the `Detail` of an event on EventBridge:
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>.

use std::{collections::HashSet, fmt};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Returns whether `text` is a JSON object without repeated names and without integers beyond 64
/// bits.
pub(super) fn is_good(text: &str) -> bool {
    text.trim_start().starts_with('{')
        && serde_json::from_str::<Unrepeated>(text).is_ok()
        && integers(text).all(|integer| integer.parse::<i64>().is_ok())
}

/// Any JSON value without repeated names in an object.
struct Unrepeated;

impl<'de> Deserialize<'de> for Unrepeated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Unrepeated {
    type Value = Self;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON without repeated names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        let mut names = HashSet::new();
        while let Some((name, Self)) = members.next_entry::<String, Self>()? {
            if let Some(name) = names.replace(name) {
                return Err(A::Error::custom(format!("the name {name} occurs twice")));
            }
        }
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self, A::Error> {
        while elements.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }
}

/// Returns the integers in a JSON text, as written.
fn integers(text: &str) -> impl Iterator<Item = &str> {
    let is_number = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    let mut rest = text;
    let tokens = std::iter::from_fn(move || {
        let start = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit())?;
        let from_here = &rest[start..];
        let end = match from_here.strip_prefix('"') {
            Some(inside) => 1 + end_of_string(inside),
            None => from_here.find(|c: char| !is_number(c)).unwrap_or(from_here.len()),
        };
        let (token, after) = from_here.split_at(end);
        rest = after;
        Some(token)
    });
    tokens.filter(|token| !token.contains(['"', '.', 'e', 'E']))
}

/// Returns the offset after a string's closing quote. `text` starts after its opening quote.
fn end_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.bytes().position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_objects_with_unique_names_and_64_bit_integers_are_valid() {
        for good in [
            "{}",
            " {\"a\": [1, -9223372036854775808, 9223372036854775807, -0]}",
            r#"{"a":1.5e300,"b":99999999999999999999.0,"c":1e20,"d":"99999999999999999999"}"#,
            r#"{"a":"\"99999999999999999999","\\":{"a":{"a":null}},"b":"\\"}"#,
        ] {
            assert!(is_good(good), "{good}");
        }
        for bad in [
            "",
            "[]",
            "\"{}\"",
            "null",
            "{",
            "{} {}",
            r#"{"a":01}"#,
            r#"{"a":9223372036854775808}"#,
            r#"{"a":[{"b":-9223372036854775809}]}"#,
            r#"{"a\\":99999999999999999999}"#,
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"a":[{"b":{"c":1,"c":2}}]}"#,
        ] {
            assert!(!is_good(bad), "{bad}");
        }
    }
}
