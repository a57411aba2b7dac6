use serde::{
    Serialize, Serializer,
    ser::{Error as _, SerializeMap},
};
use serde_json::{Map, Value, value::RawValue};

use super::{Fields, Kind, Schema};

/// Serializes an entity for the wire. Properties are in the order of the schema, followed by the
/// included relations. Amounts are written as numbers with all their digits, and objects and
/// lists that are stored as text are written exactly.
#[derive(Clone, Copy, Debug)]
pub struct Wire<'a> {
    schema: &'static Schema,
    members: &'a Map<String, Value>,
    fields: Option<&'a Fields>,
}

impl<'a> Wire<'a> {
    /// Wraps the `members` of an entity of `schema`. Absent members are left out.
    #[must_use]
    pub fn new(schema: &'static Schema, members: &'a Map<String, Value>) -> Self {
        Self { schema, members, fields: None }
    }

    /// Leaves out properties according to `fields`.
    #[must_use]
    pub fn with_fields(self, fields: &'a Fields) -> Self {
        Self { fields: Some(fields), ..self }
    }
}

impl Serialize for Wire<'_> {
    /// Serializes to JSON only, because stored JSON text is written unchanged.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let left_out = |name: &str| self.fields.is_some_and(|fields| fields.leave_out(name));
        for (name, kind) in self.schema.properties.iter().filter(|(name, _)| !left_out(name)) {
            match (kind, self.members.get(*name)) {
                (_, None) => {}
                (Kind::Money | Kind::Object | Kind::List, Some(Value::String(json))) => {
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
