//! The invariants.

mod always;
mod audit;
mod events;
mod finally;
mod identities;
pub(crate) mod logs;
mod subscriptions;

use serde_json::Value;

/// Returns a value in DynamoDB's JSON as plain JSON.
fn plain(value: &Value) -> Value {
    let Some((kind, value)) = value.as_object().and_then(|typed| typed.iter().next()) else {
        return Value::Null;
    };
    match kind.as_str() {
        "N" => serde_json::from_str(value.as_str().unwrap_or_default()).unwrap_or_default(),
        "L" => value.as_array().into_iter().flatten().map(plain).collect(),
        "M" => {
            let members = value.as_object().into_iter().flatten();
            members.map(|(name, value)| (name.clone(), plain(value))).collect()
        }
        "NULL" => Value::Null,
        _ => value.clone(),
    }
}
