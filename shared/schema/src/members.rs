use serde_json::{Map, Value, json};

use crate::{BodyKind, FromJson, Reader};

/// A value that is read from the members of a JSON object. Several such values may be read from one
/// object.
pub trait FromMembers: Sized {
    /// Whether unknown members are accepted. Otherwise they are refused.
    const ALLOWS_UNKNOWN: bool = false;

    /// Reads the value, or notes every violation and returns `None`.
    ///
    /// An implementation must read the same members regardless of their values, because its reads
    /// also generate the schema.
    fn from_members(members: &mut impl Members) -> Option<Self>;

    /// Returns additional JSON Schema keywords that apply to the object as a whole.
    #[must_use]
    fn rules() -> Map<String, Value> {
        Map::new()
    }
}

/// A value of which a body may change single members.
pub trait Patch: FromMembers {
    /// Returns the value with the given members, or notes every violation and returns `None`.
    fn patched(self, members: &mut impl Members) -> Option<Self>;
}

/// Changes the given members of `current`.
pub(crate) fn patched<T: Patch>(current: T, value: &Value, at: &mut Reader<'_>) -> Option<T> {
    let mut object = Object::read(value, at)?;
    let patched = current.patched(&mut object);
    if !T::ALLOWS_UNKNOWN {
        object.finish();
    }
    patched
}

impl<T: FromMembers> FromJson for T {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let mut object = Object::read(value, at)?;
        let read = Self::from_members(&mut object);
        if !Self::ALLOWS_UNKNOWN {
            object.finish();
        }
        read
    }

    fn schema() -> Value {
        let mut described = SchemaBuilder::default();
        let _ = Self::from_members(&mut described);
        let mut schema = described.schema();
        if !Self::ALLOWS_UNKNOWN {
            schema.insert("additionalProperties".to_owned(), false.into());
        }
        schema.extend(Self::rules());
        schema.into()
    }
}

/// Reads the members of an object by name.
pub trait Members {
    /// Reads a required member.
    fn required<T: FromJson>(&mut self, name: &'static str) -> Option<T>;

    /// Reads a member that may be absent, also as `null` or as `FromJson::is_absent` of the type says.
    fn optional<T: FromJson>(&mut self, name: &'static str) -> Option<T>;

    /// Returns whether the member `name` is given, possibly as `null`.
    fn contains(&self, name: &str) -> bool;

    /// Returns whether the member `name` is given and not `null`.
    fn gives(&self, name: &str) -> bool;

    /// Returns a reader for noting violations at the object, or at its member `name`. Returns
    /// `None` if there is no object.
    fn place(&mut self, name: Option<&str>) -> Option<Reader<'_>>;
}

/// The members of a JSON object. Members that were not read are refused at the end.
#[derive(Debug)]
struct Object<'v, 'r> {
    object: &'v Map<String, Value>,
    at: Reader<'r>,
    known: Vec<&'static str>,
}

impl<'v, 'r> Object<'v, 'r> {
    fn read(value: &'v Value, at: &'r mut Reader<'_>) -> Option<Self> {
        let Value::Object(object) = value else {
            at.wrong_type("object");
            return None;
        };
        Some(Self { object, at: at.reborrow(), known: Vec::new() })
    }

    /// Notes a violation for every member that was not read.
    fn finish(mut self) {
        if let BodyKind::Replacing(fixed) | BodyKind::Changing(fixed) = self.at.kind {
            self.known.extend(fixed);
        }
        for name in self.object.keys().filter(|name| !self.known.contains(&name.as_str())) {
            let info = json!({ "additionalProperty": name });
            self.at.violate("additionalProperties", "must NOT have additional properties", info);
        }
    }
}

impl Members for Object<'_, '_> {
    fn required<T: FromJson>(&mut self, name: &'static str) -> Option<T> {
        self.known.push(name);
        if let Some(value) = self.object.get(name) {
            return T::from_json(value, &mut self.at.member(name));
        }
        if !matches!(self.at.kind, BodyKind::Changing(_)) {
            let message = format!("must have required property '{name}'");
            self.at.violate("required", message, json!({ "missingProperty": name }));
        }
        None
    }

    fn optional<T: FromJson>(&mut self, name: &'static str) -> Option<T> {
        self.known.push(name);
        let value = self.object.get(name).filter(|value| !T::is_absent(value))?;
        T::from_json(value, &mut self.at.member(name))
    }

    fn contains(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    fn gives(&self, name: &str) -> bool {
        self.object.get(name).is_some_and(|value| !value.is_null())
    }

    fn place(&mut self, name: Option<&str>) -> Option<Reader<'_>> {
        Some(match name {
            Some(name) => self.at.member(name),
            None => self.at.reborrow(),
        })
    }
}

/// Records which members a type reads, to generate its schema.
#[derive(Debug, Default)]
struct SchemaBuilder {
    properties: Map<String, Value>,
    required: Vec<Value>,
}

impl SchemaBuilder {
    fn schema(self) -> Map<String, Value> {
        let mut schema = Map::new();
        schema.insert("type".to_owned(), "object".into());
        schema.insert("properties".to_owned(), self.properties.into());
        if !self.required.is_empty() {
            schema.insert("required".to_owned(), self.required.into());
        }
        schema
    }
}

impl Members for SchemaBuilder {
    fn required<T: FromJson>(&mut self, name: &'static str) -> Option<T> {
        self.properties.insert(name.to_owned(), T::schema());
        self.required.push(name.into());
        None
    }

    fn optional<T: FromJson>(&mut self, name: &'static str) -> Option<T> {
        let schema = match T::is_absent(&Value::from("")) {
            true => json!({ "anyOf": [T::schema(), { "enum": ["", null] }] }),
            false => nullable(T::schema()),
        };
        self.properties.insert(name.to_owned(), schema);
        None
    }

    fn contains(&self, _: &str) -> bool {
        false
    }

    fn gives(&self, _: &str) -> bool {
        false
    }

    fn place(&mut self, _: Option<&str>) -> Option<Reader<'_>> {
        None
    }
}

/// Returns the schema of a value that matches `schema` or is `null`.
#[must_use]
pub fn nullable(mut schema: Value) -> Value {
    if schema["anyOf"].is_array() || !schema["type"].is_string() {
        return json!({ "anyOf": [schema, { "type": "null" }] });
    }
    schema["type"] = json!([schema["type"], "null"]);
    if let Some(allowed) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        allowed.push(Value::Null);
    }
    schema
}
