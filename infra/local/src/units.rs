//! The cost of DynamoDB calls in capacity units of an on-demand table, by Amazon's rules:
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>.
//!
//! Engines report different numbers. This calculation is the same for all of them.

use std::{
    fmt,
    ops::{AddAssign, Sub},
};

use serde_json::{Map, Value};

/// Size of a read unit, in bytes.
const READ: usize = 4096;
/// Size of a write unit, in bytes.
const WRITE: usize = 1024;

/// Capacity units. An eventually consistent read of up to 4 KB costs half a unit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Units {
    /// Read units.
    pub read: f64,
    /// Write units, including those of indexes.
    pub write: f64,
}

impl AddAssign for Units {
    fn add_assign(&mut self, other: Self) {
        self.read += other.read;
        self.write += other.write;
    }
}

impl Sub for Units {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { read: self.read - other.read, write: self.write - other.write }
    }
}

impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.read > 0.0, self.write > 0.0) {
            (true, true) => write!(f, "R {} W {}", self.read, self.write),
            (true, false) => write!(f, "R {}", self.read),
            (false, true) => write!(f, "W {}", self.write),
            (false, false) => f.write_str("nothing"),
        }
    }
}

/// Returns the units for reading `bytes` at once.
pub(crate) fn read(bytes: usize, consistent: bool) -> f64 {
    whole(bytes, READ) * if consistent { 1.0 } else { 0.5 }
}

/// Returns the units for changing an item from `before` to `after`, without indexes.
pub(crate) fn write(before: Option<&Value>, after: Option<&Value>) -> f64 {
    whole(before.map_or(0, size).max(after.map_or(0, size)), WRITE)
}

/// Returns the units for the same change in an index with these keys and all attributes.
pub(crate) fn index(keys: &[String], before: Option<&Value>, after: Option<&Value>) -> f64 {
    let entry = |item: Option<&Value>| {
        let item = item?;
        let key: Option<Vec<_>> = keys.iter().map(|key| item.get(key).cloned()).collect();
        key.map(|key| (key, whole(size(item), WRITE)))
    };
    match (entry(before), entry(after)) {
        _ if before == after => 0.0,
        (Some((old, was)), Some((new, is))) if old == new => was.max(is),
        (old, new) => old.map_or(0.0, |(_, was)| was) + new.map_or(0.0, |(_, is)| is),
    }
}

/// Returns the size of an item in DynamoDB's JSON, in bytes.
pub(crate) fn size(item: &Value) -> usize {
    item.as_object().into_iter().flatten().map(|(name, value)| name.len() + of_value(value)).sum()
}

fn of_value(value: &Value) -> usize {
    let typed = value.as_object().and_then(|typed| typed.iter().next());
    let Some((kind, value)) = typed else { return 0 };
    let each = || value.as_array().into_iter().flatten();
    match kind.as_str() {
        "S" => value.as_str().map_or(0, str::len),
        "B" => value.as_str().map_or(0, |base64| base64.len() / 4 * 3),
        "N" => value.as_str().map_or(0, of_number),
        "SS" => each().filter_map(Value::as_str).map(str::len).sum(),
        "NS" => each().filter_map(Value::as_str).map(of_number).sum(),
        "L" => 3 + each().map(|element| 1 + of_value(element)).sum::<usize>(),
        "M" => 3 + value.as_object().map_or(0, of_members),
        _ => 1,
    }
}

fn of_members(members: &Map<String, Value>) -> usize {
    members.iter().map(|(name, value)| 1 + name.len() + of_value(value)).sum()
}

/// Returns the size of a number: one byte per two digits, plus one byte.
fn of_number(number: &str) -> usize {
    number.bytes().filter(u8::is_ascii_digit).count().div_ceil(2) + 1
}

/// Returns the whole units for `bytes`, at least one.
fn whole(bytes: usize, unit: usize) -> f64 {
    u32::try_from(bytes.div_ceil(unit).max(1)).map_or(f64::INFINITY, f64::from)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_size_of_an_item_is_that_of_names_and_values() {
        let cases = [
            (json!({ "pk": { "S": "ä" } }), 4),
            (json!({ "n": { "N": "-12345.6" } }), 5),
            (json!({ "b": { "BOOL": true } }), 2),
            (json!({ "l": { "L": [{ "S": "ab" }, { "NULL": true }] } }), 9),
            (json!({ "m": { "M": { "k": { "S": "v" } } } }), 7),
            (json!({ "s": { "SS": ["a", "bc"] } }), 4),
        ];
        for (item, bytes) in cases {
            assert_eq!(size(&item), bytes, "{item}");
        }
    }

    #[test]
    fn units_are_whole_and_at_least_one() {
        let large = json!({ "pk": { "S": "x".repeat(1500) } });
        let (large, small) = (Some(&large), &json!({ "pk": { "S": "x" } }));
        assert_eq!(
            [write(None, None), write(large, Some(small)), write(Some(small), large)],
            [1.0, 2.0, 2.0]
        );
        assert_eq!([read(0, true), read(4096, false), read(4097, true)], [1.0, 0.5, 2.0]);
    }

    #[test]
    fn an_index_costs_only_its_own_changes() {
        let keys = ["gsi1pk".to_owned()];
        let listed =
            |list: &str, n: usize| json!({ "n": { "S": "x".repeat(n) }, "gsi1pk": { "S": list } });
        let (here, there, larger) = (listed("a", 1), listed("b", 1), listed("a", 1500));
        let (here, there, larger) = (Some(&here), Some(&there), Some(&larger));
        let unlisted = json!({ "n": { "S": "x" } });
        let cost = |before, after| index(&keys, before, after);
        assert_eq!([cost(None, here), cost(here, None), cost(here, here)], [1.0, 1.0, 0.0]);
        assert_eq!([cost(here, larger), cost(here, there)], [2.0, 2.0]);
        assert_eq!(cost(None, Some(&unlisted)), 0.0);
    }
}
