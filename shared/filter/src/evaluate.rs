use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Where, condition::Condition, node::Node, operators::Test, typed_value::TypedValue};

/// An item. Each property is converted once for all conditions.
struct Item<'a> {
    entity: &'a Map<String, Value>,
    held: BTreeMap<&'static str, TypedValue>,
}

impl Where {
    /// Returns whether `entity`, as on the wire, meets all conditions.
    #[must_use]
    pub fn matches(&self, entity: &Map<String, Value>) -> bool {
        self.matches_item(&mut Item { entity, held: BTreeMap::new() })
    }

    fn matches_item(&self, item: &mut Item<'_>) -> bool {
        self.0.iter().all(|condition| match condition {
            Condition::All(all) => all.iter().all(|each| each.matches_item(item)),
            Condition::Any(any) => any.iter().any(|each| each.matches_item(item)),
            Condition::Property(name, kind, test) => {
                let entity = item.entity;
                let read = || TypedValue::from_item(*kind, entity.get(*name));
                test.passes(item.held.entry(name).or_insert_with(read))
            }
        })
    }
}

impl Test {
    /// Returns whether the value `held` by an item passes. `null` only passes tests that name it.
    fn passes(&self, held: &TypedValue) -> bool {
        let is_null = *held == TypedValue::Null;
        let orders = |value: &TypedValue| held.compares_with(value);
        match self {
            Self::Eq(value) => held == value,
            Self::Neq(value) => !is_null && held != value,
            Self::Gt(value) => orders(value) && held > value,
            Self::Gte(value) => orders(value) && held >= value,
            Self::Lt(value) => orders(value) && held < value,
            Self::Lte(value) => orders(value) && held <= value,
            Self::Between(low, high) => orders(low) && held >= low && held <= high,
            Self::In(values) => values.contains(held),
            Self::NotIn(values) => !is_null && !values.contains(held),
            Self::Matches(pattern) => {
                matches!(held, TypedValue::Text(text) if pattern.matches(text))
            }
            Self::NotMatches(pattern) => {
                matches!(held, TypedValue::Text(text) if !pattern.matches(text))
            }
            Self::Exists(wanted) => is_null != *wanted,
            Self::Contains(wanted) => {
                let TypedValue::Whole(Node::List(items)) = held else { return false };
                wanted.iter().all(|each| items.contains(each))
            }
        }
    }
}
