//! DynamoDB's JSON without the types of attributes: `{"S":"a"}` becomes `"a"`.
//!
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html>

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize,
    de::{
        DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess,
        VariantAccess, Visitor,
    },
};
use serde_json::value::RawValue;

/// The type of an attribute.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html>
#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Type {
    S,
    N,
    Bool,
    Null,
    M,
    L,
    Ss,
    Ns,
    B,
    Bs,
}

/// Writes an attribute as JSON without its type.
pub(crate) struct Attribute<'a>(pub(crate) &'a mut String);

impl<'de> DeserializeSeed<'de> for Attribute<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_enum("AttributeValue", &[], self)
    }
}

impl<'de> Visitor<'de> for Attribute<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attribute")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<(), A::Error> {
        let (r#type, value) = data.variant()?;
        match r#type {
            Type::M => value.newtype_variant_seed(Members(self.0))?,
            Type::L => value.newtype_variant_seed(Elements(self.0))?,
            Type::Null => {
                value.newtype_variant::<IgnoredAny>()?;
                self.0.push_str("null");
            }
            // DynamoDB sends numbers as strings.
            Type::N => {
                let number = value.newtype_variant::<&RawValue>()?.get().trim_matches('"');
                self.0.push_str(number);
            }
            Type::S | Type::Bool | Type::Ss | Type::Ns | Type::B | Type::Bs => {
                let same = value.newtype_variant::<&RawValue>()?.get();
                self.0.push_str(same);
            }
        }
        Ok(())
    }
}

/// Writes the attributes of a map.
struct Members<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.0.push('{');
        while let Some(name) = map.next_key::<Name<'_>>()? {
            name.write(self.0)?;
            map.next_value_seed(Attribute(self.0))?;
            self.0.push(',');
        }
        close(self.0, '}');
        Ok(())
    }
}

/// Writes the attributes of a list.
struct Elements<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for Elements<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        self.0.push('[');
        while list.next_element_seed(Attribute(self.0))?.is_some() {
            self.0.push(',');
        }
        close(self.0, ']');
        Ok(())
    }
}

/// The name of an attribute.
#[derive(Deserialize)]
pub(crate) struct Name<'n>(#[serde(borrow)] pub(crate) Cow<'n, str>);

impl Name<'_> {
    /// Writes the name and the colon behind it.
    pub(crate) fn write<E: Error>(&self, json: &mut String) -> Result<(), E> {
        match &self.0 {
            // It could be borrowed, because nothing in it is escaped.
            Cow::Borrowed(name) => json.extend(["\"", name, "\":"]),
            Cow::Owned(name) => {
                json.push_str(&serde_json::to_string(name).map_err(E::custom)?);
                json.push(':');
            }
        }
        Ok(())
    }
}

/// Ends an object or an array, with `end` in place of the comma behind its last part.
pub(crate) fn close(json: &mut String, end: char) {
    if json.ends_with(',') {
        json.pop();
    }
    json.push(end);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn plain(attribute: &Value) -> String {
        let (text, mut json) = (attribute.to_string(), String::new());
        let mut reader = serde_json::Deserializer::from_str(&text);
        Attribute(&mut json).deserialize(&mut reader).unwrap();
        json
    }

    #[test]
    fn attributes_lose_their_types() {
        let nested = json!({ "L": [{ "M": {} }, { "L": [] }, { "M": { "a,\"": { "N": "-1.5e3" }, "b": { "S": "," } } }] });
        for (attribute, expected) in [
            (json!({ "S": "\"é\n\u{1}," }), r#""\"é\n\u0001,""#),
            (json!({ "N": "12345678901234567890" }), "12345678901234567890"),
            (json!({ "BOOL": false }), "false"),
            (json!({ "NULL": true }), "null"),
            (json!({ "SS": ["a", "b"] }), r#"["a","b"]"#),
            (json!({ "B": "AAE=" }), r#""AAE=""#),
            (nested, r#"[{},[],{"a,\"":-1.5e3,"b":","}]"#),
        ] {
            assert_eq!(plain(&attribute), expected);
        }
    }

    #[test]
    fn an_attribute_has_one_known_type() {
        for wrong in
            [json!({}), json!({ "X": 1 }), json!({ "S": "a", "N": "1" }), json!("S"), json!(1)]
        {
            let text = wrong.to_string();
            let mut reader = serde_json::Deserializer::from_str(&text);
            let read = Attribute(&mut String::new()).deserialize(&mut reader);
            assert!(read.is_err(), "{wrong}");
        }
    }
}
