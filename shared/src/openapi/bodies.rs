use serde_json::{Value, json};

use super::{Shape, entities::property, example};
use crate::domain::{Editable, FromJson};

/// The body of a PATCH: any of the members, and of those that may only be repeated.
#[must_use]
pub fn patch<E: Editable>() -> Shape {
    let mut schema = editable::<E>();
    if let Some(members) = schema.as_object_mut() {
        members.remove("required");
    }
    shape::<E>("Partial", schema)
}

/// The body of a PUT: all members that must be there, and any of those that may only be repeated.
#[must_use]
pub fn put<E: Editable>() -> Shape {
    shape::<E>("Replacement", editable::<E>())
}

/// What clients give of an entity, with what they may only repeat.
fn editable<E: Editable>() -> Value {
    let mut schema = E::Details::schema();
    for (name, kind) in E::SCHEMA.properties {
        if E::FIXED.contains(name) {
            let mut repeated = property(E::SCHEMA, name, *kind);
            if let Some(members) = repeated.as_object_mut() {
                members.insert("readOnly".to_owned(), true.into());
                let rule = "May be repeated as it was read, and not be changed.";
                members.insert("description".to_owned(), rule.into());
            }
            schema["properties"][*name] = repeated;
        }
    }
    schema
}

/// With an example of what may be changed.
fn shape<E: Editable>(form: &str, mut schema: Value) -> Shape {
    let mut example = example(E::SCHEMA);
    if let Some(members) = example.as_object_mut() {
        members.retain(|name, value| !E::FIXED.contains(&name.as_str()) && !value.is_null());
    }
    schema["examples"] = json!([example]);
    Shape::new(&format!("{}{form}", E::SCHEMA.entity), schema, example)
}
