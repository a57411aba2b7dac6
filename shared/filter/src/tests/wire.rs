//! Entities as they are sent.

use serde_json::{Value, json};

use super::{IDS, ITEM, filter};
use crate::Wire;

/// Writes an item, without the properties that `fields` leave out.
fn written(item: Value, fields: &Value) -> String {
    let Value::Object(members) = item else { panic!("{item}") };
    let fields = filter(&json!({ "fields": fields })).unwrap().fields;
    serde_json::to_string(&Wire::new(&ITEM, &members).with_fields(&fields)).unwrap()
}

#[test]
fn properties_are_in_the_order_of_the_schema_and_stored_text_is_exact() {
    let item = json!({
        "meta": r#"{"b":1.0,"a":2}"#, "tags": "[1e2]", "price": "0.50", "size": 1, "id": IDS[0],
        "secret": 1, "name": "1.0",
    });
    let all = format!(
        r#"{{"id":"{}","name":"1.0","size":1,"price":0.50,"tags":[1e2],"meta":{{"b":1.0,"a":2}}}}"#,
        IDS[0]
    );
    assert_eq!(written(item.clone(), &json!([])), all);
    assert_eq!(written(item.clone(), &json!(["price"])), r#"{"price":0.50}"#);
    let fields = json!({ "id": false, "name": false, "size": false, "price": false });
    assert_eq!(written(item, &fields), r#"{"tags":[1e2],"meta":{"b":1.0,"a":2}}"#);
}

#[test]
fn inclusions_follow_with_all_of_their_properties() {
    let item = json!({
        "owner": { "name": "Ada", "price": "1.00" }, "id": 1,
        "parts": [{ "weight": 2, "item": null }, { "secret": 1 }],
    });
    let expected = r#"{"parts":[{"weight":2,"item":null},{}],"owner":{"name":"Ada","price":1.00}}"#;
    assert_eq!(written(item, &json!(["name"])), expected);
}
