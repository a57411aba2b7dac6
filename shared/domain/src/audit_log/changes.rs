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
mod tests;
