use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{FromJson, Reader};

/// A JSON object whose members are not ours to know: its text, kept to the letter.
///
/// As text it has in the table what it had on the wire: `DynamoDB`'s own maps end at 32 levels and
/// its numbers at 38 digits and 10^126, and nothing reaches those through `serde` without a float.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JsonObject(String);

impl FromJson for JsonObject {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        if !value.is_object() {
            at.wrong_type("object");
            return None;
        }
        Some(Self(at.text_of(value)))
    }

    fn schema() -> Value {
        json!({ "type": "object" })
    }
}
