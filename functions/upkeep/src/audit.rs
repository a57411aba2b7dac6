//! The entry of the audit log for a record of the stream.

use aws_lambda_events::dynamodb::EventRecord;
use domain::{AddressDetail, AuditEntry, ItemChange};
use schema::Timestamp;
use serde_dynamo::{AttributeValue, Item};
use serde_json::{Map, Number, Value};

/// The largest integer that every reader of JSON keeps exactly (RFC 8259 §6).
const MAX_INTEGER: i64 = (1 << 53) - 1;

/// Returns the entry for a record. Returns `None` if the audit log does not record the change.
pub(crate) fn entry(record: &EventRecord, detail: AddressDetail) -> Option<AuditEntry> {
    let (old, new) = (plain(&record.change.old_image), plain(&record.change.new_image));
    let present = |image| Some(image).filter(|image: &&Map<_, _>| !image.is_empty());
    let time = record.change.approximate_creation_date_time.timestamp_millis();
    let time = Timestamp::from_millis(time);
    AuditEntry::of(ItemChange { old: present(&old), new: present(&new), time }, detail)
}

fn plain(image: &Item) -> Map<String, Value> {
    image.inner().iter().map(|(name, value)| (name.clone(), plain_value(value))).collect()
}

/// Returns an attribute as JSON. Numbers that not every reader keeps exactly are texts, so that the
/// canonical form of an entry has every digit.
fn plain_value(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => text.as_str().into(),
        AttributeValue::N(number) => plain_number(number),
        AttributeValue::Bool(flag) => (*flag).into(),
        AttributeValue::L(items) => items.iter().map(plain_value).collect(),
        AttributeValue::M(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), plain_value(value)));
            Value::Object(members.collect())
        }
        AttributeValue::Ss(texts) | AttributeValue::Ns(texts) => texts.as_slice().into(),
        AttributeValue::Null(_) | AttributeValue::B(_) | AttributeValue::Bs(_) => Value::Null,
    }
}

fn plain_number(number: &str) -> Value {
    let integer = number.parse::<i64>().ok().filter(|integer| integer.abs() <= MAX_INTEGER);
    integer.map_or_else(|| number.into(), |integer| Value::Number(Number::from(integer)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_keep_every_digit() {
        for (number, expected) in [
            ("12", json!(12)),
            ("-9007199254740991", json!(-9_007_199_254_740_991_i64)),
            ("9007199254740992", json!("9007199254740992")),
            ("49.9", json!("49.9")),
            ("1E+30", json!("1E+30")),
        ] {
            assert_eq!(plain_value(&AttributeValue::N(number.into())), expected);
        }
    }
}
