use serde_json::{Map, Value};

/// Returns the canonical JSON of `value` (RFC 8785): no white space, and the members of an object
/// sorted by the UTF-16 code units of their names.
///
/// Numbers must be integers of at most 53 bits, as those of the audit log are. All others have
/// several spellings, which RFC 8785 §3.2.2.3 settles by rounding.
#[must_use]
pub fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => write_object(members, text),
        Value::Array(items) => {
            text.push('[');
            for (position, item) in items.iter().enumerate() {
                separate(position, text);
                write(item, text);
            }
            text.push(']');
        }
        // These are written as RFC 8785 §3.2.2 requires: only what must be is escaped in strings.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            text.push_str(&value.to_string());
        }
    }
}

fn write_object(members: &Map<String, Value>, text: &mut String) {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    text.push('{');
    for (position, (name, value)) in sorted.into_iter().enumerate() {
        separate(position, text);
        write(&Value::from(name.as_str()), text);
        text.push(':');
        write(value, text);
    }
    text.push('}');
}

fn separate(position: usize, text: &mut String) {
    if position > 0 {
        text.push(',');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// The examples of RFC 8785 §3.2.2 and §3.2.3.
    #[test]
    fn the_examples_of_the_rfc_are_written_as_there() {
        let text = json!({ "string": "\u{20ac}$\u{000f}\nA'\u{0042}\u{0022}\u{005c}\\\"/" });
        assert_eq!(canonical(&text), r#"{"string":"€$\u000f\nA'B\"\\\\\"/"}"#);
        let sorted = canonical(&json!({
            "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
            "1": "One", "\u{1f600}": "Emoji: Grinning Face", "\u{80}": "Control",
            "\u{f6}": "O With Diaeresis", "literals": [null, true, false],
        }));
        let order = [r#"{"\r":"#, r#","1":"#, r#","literals":[null,true,false]"#, ",\"\u{80}\":"]
            .into_iter()
            .chain([",\"\u{f6}\":", ",\"\u{20ac}\":", ",\"\u{1f600}\":", ",\"\u{fb33}\":"]);
        let places: Vec<_> = order.map(|part| sorted.find(part).expect(part)).collect();
        assert!(places.is_sorted(), "{sorted}");
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let limit = (1_i64 << 53) - 1;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-limit..=limit).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn canonical_json_has_the_same_value_and_one_spelling(value in any_value()) {
            let text = canonical(&value);
            let read: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&read, &value);
            prop_assert_eq!(canonical(&read), text);
        }
    }
}
