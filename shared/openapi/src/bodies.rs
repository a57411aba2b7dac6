use serde_json::{Value, json};

use super::{NamedSchema, entities::property, example};
use domain::Editable;
use schema::FromJson;

/// Returns the body of a PATCH: all members are optional. Read-only members may be sent back
/// unchanged.
#[must_use]
pub fn patch<E: Editable>() -> NamedSchema {
    let mut schema = editable::<E>();
    if let Some(members) = schema.as_object_mut() {
        members.remove("required");
    }
    named::<E>("Partial", schema)
}

/// Returns the body of a PUT: required members must be present. Read-only members may be sent back
/// unchanged.
#[must_use]
pub fn put<E: Editable>() -> NamedSchema {
    named::<E>("Replacement", editable::<E>())
}

/// Returns the schema of the members that clients may set or, if read-only, send back unchanged.
fn editable<E: Editable>() -> Value {
    let mut schema = E::Details::schema();
    for (name, kind) in E::SCHEMA.properties {
        if E::READ_ONLY.contains(name) {
            let mut repeated = property(E::SCHEMA, name, *kind);
            if let Some(members) = repeated.as_object_mut() {
                members.insert("readOnly".to_owned(), true.into());
                let rule = "Read-only. May be sent back unchanged.";
                members.insert("description".to_owned(), rule.into());
            }
            schema["properties"][*name] = repeated;
        }
    }
    schema
}

/// Returns the named schema of a body, with an example of the members that can be changed.
fn named<E: Editable>(form: &str, mut schema: Value) -> NamedSchema {
    let mut example = example(E::SCHEMA);
    if let Some(members) = example.as_object_mut() {
        members.retain(|name, value| !E::READ_ONLY.contains(&name.as_str()) && !value.is_null());
    }
    schema["examples"] = json!([example]);
    NamedSchema::new(&format!("{}{form}", E::SCHEMA.entity), schema, example)
}
