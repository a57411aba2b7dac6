use proptest::prelude::*;

use super::*;
use crate::ChildKind;

fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

fn shown(entity: &str, old: Value, new: Value) -> Value {
    let kind = AuditedKind::of_entity(entity).unwrap();
    serde_json::to_value(changes(kind, &object(old), &object(new))).unwrap()
}

#[test]
fn a_change_shows_the_value_before_and_after() {
    let old = json!({ "status": 0, "domains": ["a.test"], "name": "Acme", "version": 1, "a/b": 1 });
    let new = json!({ "status": 4, "domains": ["a.test", "b.test"], "name": "Acme", "version": 2 });
    assert_eq!(
        shown("tenant", old, new),
        json!([
            { "path": "/a~1b", "from": 1 },
            { "path": "/domains", "from": ["a.test"], "to": ["a.test", "b.test"] },
            { "path": "/status", "from": 0, "to": 4 },
        ])
    );
}

#[test]
fn a_value_within_an_object_is_shown_on_its_own_if_it_is_not_too_deep() {
    let long = |length: usize| "a".repeat(length - 1);
    let (longest, too_long) = (long(MAX_PATH), long(MAX_PATH + 1));
    for (new, path, to) in [
        // The item has technical members, such as its ID. An object within it has none.
        (json!({ "plan": { "id": "p1" } }), "/plan/id", json!("p1")),
        (json!({ "a": { "b": { "c": { "d": 1 } } } }), "/a/b/c/d", json!(1)),
        (json!({ "a": { "b": { "c": { "d": { "e": 1 } } } } }), "/a/b/c/d", json!({ "e": 1 })),
        (json!({ "a": [[[{ "b": 1 }]]] }), "/a/0/0/0", json!({ "b": 1 })),
        (json!({ &longest: { "b": 1 } }), &*format!("/{longest}/b"), json!(1)),
        (json!({ &too_long: { "b": 1 } }), &*format!("/{too_long}"), json!({ "b": 1 })),
    ] {
        assert_eq!(shown("job", json!({}), new), json!([{ "path": path, "to": to }]));
    }
}

#[test]
fn personal_and_secret_values_are_never_shown() {
    let contact = json!({ "firstName": "Ada", "lastName": "Lovelace", "email": "ada@acme.test",
        "isPrimary": true });
    assert_eq!(
        shown("contact", json!({}), contact),
        json!([
            { "path": "/email", "personal": true },
            { "path": "/firstName", "personal": true },
            { "path": "/isPrimary", "to": true },
            { "path": "/lastName", "personal": true },
        ])
    );
    let address = |city: &str| json!({ "address": { "city": city } });
    let moved = json!([{ "path": "/address", "personal": true }]);
    assert_eq!(shown("tenant", address("London"), address("Paris")), moved);
    assert_eq!(shown("lead", address("London"), json!({})), moved);
    let config = |key: &str| json!({ "configKey": "api", "configValue": { "key": key } });
    let changed = json!([{ "path": "/configValue", "secret": true }]);
    assert_eq!(shown("config", config("s3cret"), config("other")), changed);
    let job = json!({ "subscription": { "plan": [{ "metaData": { "key": "s3cret" }, "a": [] }] },
        "tenant": { "contacts": ["Ada"] } });
    let opened = shown("job", json!({}), job);
    assert_eq!(
        opened,
        json!([
            { "path": "/subscription/plan/0/a", "to": [] },
            { "path": "/subscription/plan/0/metaData", "secret": true },
        ])
    );
    let deep = json!({ "a": { "b": { "c": { "d": { "metadata": "s3cret", "e": 1 } } } } });
    let deep = shown("job", json!({}), deep);
    assert_eq!(deep, json!([{ "path": "/a/b/c/d", "to": { "e": 1 } }]));
    assert_eq!(
        shown("session", json!({}), json!({ "agent": "x" })),
        json!([{ "path": "/agent", "secret": true }])
    );
}

#[test]
fn a_large_value_is_shown_as_its_digest() {
    let long = "x".repeat(2000);
    let changed = shown("invoice", json!({}), json!({ "invoiceFile": long }));
    assert_eq!(changed[0]["to"]["bytes"], 2002);
    assert_eq!(changed[0]["to"]["sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn the_changes_of_an_entry_are_bounded() {
    let wide: Map<_, _> =
        (0..10_000).map(|n| (format!("{n}-{}", "k".repeat(200)), json!(n))).collect();
    let changed = shown("job", json!({}), json!({ "subscription": wide, "attempt": 1 }));
    assert_eq!(changed.as_array().unwrap().len(), 2);
    assert!(changed.to_string().len() < MAX_VALUE, "{changed}");
    let wide: Map<_, _> =
        (0..100).map(|n| (format!("{n}-{}", "k".repeat(200)), json!("value"))).collect();
    let changed = shown("job", json!({}), json!({ "subscription": wide }));
    assert_eq!(changed.as_array().unwrap().len(), 100, "20 kB fit");
}

/// Returns the values by path after `changes` are applied to those of `old`.
fn replayed(
    kind: AuditedKind,
    old: &Map<String, Value>,
    changes: &[Change],
) -> BTreeMap<String, Value> {
    let mut values = values_of(kind, old);
    for Change { path, to, .. } in
        changes.iter().filter(|change| !change.personal && !change.secret)
    {
        match to {
            Some(to) => values.insert(path.clone(), to.clone()),
            None => values.remove(path),
        };
    }
    values
}

fn values_of(kind: AuditedKind, item: &Map<String, Value>) -> BTreeMap<String, Value> {
    let all = changes(kind, &Map::new(), item).into_iter();
    all.filter_map(|change| Some((change.path, change.to?))).collect()
}

fn any_item() -> impl Strategy<Value = Map<String, Value>> {
    let name = prop::sample::select(vec![
        "name",
        "status",
        "address",
        "firstName",
        "email",
        "metadata",
        "a",
        "b",
        "~/",
        "version",
    ]);
    let leaf = prop_oneof![
        (0..5_i64).prop_map(Value::from),
        "[a-z]{0,3}".prop_map(Value::from),
        prop::collection::vec(0..3_i64, 0..3).prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 12, 4, {
        let name = name.clone();
        move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map(name.clone(), inner, 0..4)
                    .prop_map(|members| object(json!(members)).into()),
            ]
        }
    });
    prop::collection::btree_map(name, value, 0..8).prop_map(|members| object(json!(members)))
}

proptest! {
    #[test]
    fn replaying_changes_rebuilds_what_they_show(old in any_item(), new in any_item()) {
        for kind in [AuditedKind::Tenant, AuditedKind::Job, AuditedKind::Child(ChildKind::Contact)] {
            let changed = changes(kind, &old, &new);
            prop_assert_eq!(replayed(kind, &old, &changed), values_of(kind, &new));
            prop_assert_eq!(changes(kind, &new, &new), vec![]);
        }
    }
}
