use std::collections::{BTreeMap, BTreeSet};

use ring::digest::{SHA256, digest};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{AuditedKind, canonical, kind::Visibility};

/// The maximum size of a value in an entry, as JSON in bytes. Of a larger value, an entry has the
/// SHA-256 and the size.
const MAX_VALUE: usize = 1024;

/// The maximum size of all changes of an entry in bytes. If they are larger, an entry has one
/// change for each changed member of the item.
const MAX_CHANGES: usize = 64 * 1024;

/// The maximum depth at which the members of an object are compared on their own.
const MAX_DEPTH: usize = 4;

/// The maximum length of a path in bytes.
const MAX_PATH: usize = 256;

/// A changed value within an item.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// A JSON Pointer to the value (RFC 6901).
    pub path: String,
    /// The value before. Absent if there was none, or if it is not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// The value after. Absent if there is none, or if it is not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
    /// Whether the values are not shown because they are a person's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub personal: bool,
    /// Whether the values are not shown because they may be secret.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
}

/// Returns the difference between two versions of an item of this `kind`, by path. The values of
/// personal and secret members are left out.
#[must_use]
pub(super) fn changes(
    kind: AuditedKind,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
) -> Vec<Change> {
    let all = between(kind, old, new, MAX_DEPTH);
    let size = |change: &Change| {
        let values = [&change.from, &change.to].into_iter().flatten();
        change.path.len() + values.map(|value| value.to_string().len()).sum::<usize>()
    };
    if all.iter().map(size).sum::<usize>() <= MAX_CHANGES {
        return all;
    }
    between(kind, old, new, 1)
}

fn between(
    kind: AuditedKind,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    depth: usize,
) -> Vec<Change> {
    let leaves = |item| {
        let mut leaves = Leaves { kind, depth, found: BTreeMap::new() };
        leaves.members(item, "", 0);
        leaves.found
    };
    let (old, new) = (leaves(old), leaves(new));
    let paths: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let changed = paths.into_iter().filter(|path| old.get(*path) != new.get(*path));
    changed.map(|path| Change::at(path, old.get(path), new.get(path))).collect()
}

impl Change {
    fn at(path: &str, old: Option<&Leaf>, new: Option<&Leaf>) -> Self {
        let visibility = old.or(new).map_or(Visibility::Shown, |leaf| leaf.visibility);
        let shown = |leaf: Option<&Leaf>| {
            leaf.filter(|_| visibility == Visibility::Shown).map(|leaf| shortened(&leaf.value))
        };
        Self {
            path: path.to_owned(),
            from: shown(old),
            to: shown(new),
            personal: visibility == Visibility::Personal,
            secret: visibility == Visibility::Secret,
        }
    }
}

/// A value that is compared as a whole.
#[derive(PartialEq)]
struct Leaf {
    visibility: Visibility,
    value: Value,
}

/// The values of an item by path.
struct Leaves {
    kind: AuditedKind,
    depth: usize,
    found: BTreeMap<String, Leaf>,
}

impl Leaves {
    fn members(&mut self, members: &Map<String, Value>, path: &str, depth: usize) {
        for (name, value) in members {
            let path = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
            match self.kind.visibility(name, depth) {
                Visibility::Ignored => {}
                Visibility::Shown => self.value(value, path, depth + 1),
                visibility => {
                    self.found.insert(path, Leaf { visibility, value: value.clone() });
                }
            }
        }
    }

    fn value(&mut self, value: &Value, path: String, depth: usize) {
        let is_deep = depth >= self.depth || path.len() > MAX_PATH;
        match value {
            Value::Object(members) if !members.is_empty() && !is_deep => {
                self.members(members, &path, depth);
            }
            Value::Array(items) if items.iter().any(has_parts) && !is_deep => {
                for (position, item) in items.iter().enumerate() {
                    self.value(item, format!("{path}/{position}"), depth + 1);
                }
            }
            _ => {
                let value = without_secrets(self.kind, value);
                self.found.insert(path, Leaf { visibility: Visibility::Shown, value });
            }
        }
    }
}

fn has_parts(value: &Value) -> bool {
    value.is_object() || value.is_array()
}

/// Returns a value without the members that may be secret.
fn without_secrets(kind: AuditedKind, value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| kind.visibility(name, 1) == Visibility::Shown)
            .map(|(name, value)| (name.clone(), without_secrets(kind, value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(|item| without_secrets(kind, item)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// Returns a value as an entry shows it: itself if it is small, otherwise its digest.
fn shortened(value: &Value) -> Value {
    let text = canonical(value);
    if text.len() <= MAX_VALUE {
        return value.clone();
    }
    let hash = digest(&SHA256, text.as_bytes());
    let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    json!({ "sha256": hex, "bytes": text.len() })
}

#[cfg(test)]
mod tests {
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
        let old =
            json!({ "status": 0, "domains": ["a.test"], "name": "Acme", "version": 1, "a/b": 1 });
        let new =
            json!({ "status": 4, "domains": ["a.test", "b.test"], "name": "Acme", "version": 2 });
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
}
