use serde::{
    Serialize, Serializer,
    ser::{Error as _, SerializeMap},
};
use serde_json::{Map, Value, value::RawValue};

use super::{Fields, Kind, Schema};

/// An entity as it goes out: its properties in the schema's order, amounts as numbers with all
/// their digits, objects that are kept as text to the letter, then what was included in it.
#[derive(Clone, Copy, Debug)]
pub struct Wire<'a> {
    schema: &'static Schema,
    members: &'a Map<String, Value>,
    fields: Option<&'a Fields>,
}

impl<'a> Wire<'a> {
    /// `members` of an entity of `schema`; those it lacks are left out.
    #[must_use]
    pub fn new(schema: &'static Schema, members: &'a Map<String, Value>) -> Self {
        Self { schema, members, fields: None }
    }

    /// Returns the same entity without the properties that `fields` leave out.
    #[must_use]
    pub fn cut(self, fields: &'a Fields) -> Self {
        Self { fields: Some(fields), ..self }
    }
}

impl Serialize for Wire<'_> {
    /// To JSON alone: what is kept as JSON text is written as it stands.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let left_out = |name: &str| self.fields.is_some_and(|fields| fields.leave_out(name));
        for (name, kind) in self.schema.properties.iter().filter(|(name, _)| !left_out(name)) {
            match (kind, self.members.get(*name)) {
                (_, None) => {}
                (Kind::Money | Kind::Object, Some(Value::String(json))) => {
                    let json = RawValue::from_string(json.clone()).map_err(S::Error::custom)?;
                    map.serialize_entry(name, &json)?;
                }
                (_, Some(value)) => map.serialize_entry(name, value)?,
            }
        }
        for relation in self.schema.relations {
            match self.members.get(relation.name) {
                None => {}
                Some(Value::Object(one)) => {
                    map.serialize_entry(relation.name, &Wire::new(relation.schema, one))?;
                }
                Some(Value::Array(many)) => {
                    let many: Vec<_> = many.iter().filter_map(Value::as_object).collect();
                    let many: Vec<_> =
                        many.into_iter().map(|one| Wire::new(relation.schema, one)).collect();
                    map.serialize_entry(relation.name, &many)?;
                }
                Some(none) => map.serialize_entry(relation.name, none)?,
            }
        }
        map.end()
    }
}
