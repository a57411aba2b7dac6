//! JSON notation. Numbers keep their digits; `serde_json::Value` would round them to a float.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    MAX_DEPTH,
    node::Node,
    position::{Budget, Position, Truncated},
};
use crate::Result;

/// Parses the JSON of a parameter.
pub(super) fn parse(text: &str, at: &Position<'_>) -> Result<Node> {
    let whole: &RawValue = serde_json::from_str(text).map_err(|cause| no_json(at, &cause))?;
    node(whole, 0, at)
}

/// Parses JSON text of an item. Text that a filter would refuse, for example with duplicate
/// members, is parsed less exactly, because no filter can equal it.
pub(super) fn from_item(text: &str) -> Node {
    let budget = Budget::default();
    parse(text, &Position::parameter("item", &budget))
        .unwrap_or_else(|_| Node::from(&serde_json::from_str(text).unwrap_or_default()))
}

fn no_json(at: &Position<'_>, cause: &serde_json::Error) -> crate::BadParameter {
    at.error(format_args!("is not valid JSON: {cause}"))
}

/// Parses one level. Nested values stay text and are parsed again by each level, which is
/// acceptable because the depth is limited.
fn node(raw: &RawValue, depth: usize, at: &Position<'_>) -> Result<Node> {
    let text = raw.get();
    let is_nested = text.starts_with(['{', '[']);
    if is_nested && depth == MAX_DEPTH {
        return Err(at.error(format_args!("is nested deeper than {MAX_DEPTH} levels")));
    }
    let wrong = |cause| no_json(at, &cause);
    Ok(match text.as_bytes().first() {
        Some(b'{') => {
            let Members(members) = serde_json::from_str(text).map_err(wrong)?;
            let mut read = BTreeMap::new();
            for (name, raw) in members {
                let below = at.member(&name);
                let value = node(raw, depth + 1, &below)?;
                if read.contains_key(&name) {
                    return Err(below.error("must not be given more than once"));
                }
                read.insert(name, value);
            }
            Node::Object(read)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(wrong)?;
            let read = |(position, raw): (usize, _)| {
                node(raw, depth + 1, &at.member(&position.to_string()))
            };
            Node::List(items.into_iter().enumerate().map(read).collect::<Result<_>>()?)
        }
        Some(b'"') => Node::Text(serde_json::from_str(text).map_err(wrong)?),
        Some(b't' | b'f') => Node::Boolean(serde_json::from_str(text).map_err(wrong)?),
        Some(b'n') => Node::Null,
        _ => Node::Number(text.parse().map_err(|_| {
            at.error(format_args!("{} is not a supported number", Truncated(text)))
        })?),
    })
}

/// The members of an object, including duplicates. The values are still text.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}
