use serde_json::{Value, json};

use super::Engine;
use crate::{
    template::Table,
    units::{self, Units},
};

/// Measures the cost of calls of the table.
#[derive(Debug)]
pub(crate) struct Meter {
    engine: Engine,
    /// The keys of each index.
    indexes: Vec<Vec<String>>,
    /// The keys of the table.
    keys: Vec<String>,
}

/// A running call, with the previous values of the items that it writes.
#[derive(Debug)]
pub(crate) struct Metered {
    action: String,
    request: Value,
    writes: Vec<(Key, Option<Value>)>,
}

/// The table and key of an item.
#[derive(Clone, Debug)]
struct Key {
    table: Value,
    key: Value,
}

impl Meter {
    pub(crate) fn new(engine: &Engine, tables: &[Table]) -> Self {
        let first = tables.first().map_or(&Value::Null, |table| &table.create);
        let indexes = first["GlobalSecondaryIndexes"].as_array().into_iter().flatten();
        let indexes = indexes.map(keys_of).collect();
        Self { engine: engine.clone(), indexes, keys: keys_of(first) }
    }

    /// Reads the items that a call is about to write.
    pub(crate) fn before(&self, action: &str, request: &[u8]) -> Metered {
        let request: Value = serde_json::from_slice(request).unwrap_or_default();
        let written = self.written(action, &request);
        let writes = written.into_iter().map(|key| (key.clone(), self.item(&key))).collect();
        Metered { action: action.to_owned(), request, writes }
    }

    /// Returns the cost of a call, given its answer.
    pub(crate) fn after(&self, call: &Metered, answer: &[u8]) -> Units {
        let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
        let Metered { action, request, writes } = call;
        let share = if action.starts_with("Transact") { 2.0 } else { 1.0 };
        let write = writes.iter().map(|(key, before)| {
            let after = self.item(key);
            let (before, after) = (before.as_ref(), after.as_ref());
            let indexes = self.indexes.iter().map(|keys| units::index(keys, before, after));
            share * units::write(before, after) + indexes.sum::<f64>()
        });
        let read = match action.as_str() {
            "GetItem" => read_of(&answer["Item"], is_consistent(request)),
            "Query" => self.read_by_query(request),
            "BatchGetItem" => {
                let asked = request["RequestItems"].as_object().into_iter().flatten();
                asked.map(|(table, asked)| batch(asked, &answer["Responses"][table])).sum()
            }
            _ => 0.0,
        };
        Units { read, write: write.sum() }
    }

    /// Returns the keys of the items that a call writes or checks.
    fn written(&self, action: &str, request: &Value) -> Vec<Key> {
        let key_of = |write: &Value| {
            let key = match write.get("Item") {
                Some(item) => {
                    self.keys.iter().map(|key| (key.clone(), item[key].clone())).collect()
                }
                None => write["Key"].clone(),
            };
            Key { table: write["TableName"].clone(), key }
        };
        match action {
            "PutItem" | "UpdateItem" | "DeleteItem" => vec![key_of(request)],
            "TransactWriteItems" => {
                let writes = request["TransactItems"].as_array().into_iter().flatten();
                writes.filter_map(|write| write.as_object()?.values().next()).map(key_of).collect()
            }
            _ => Vec::new(),
        }
    }

    fn item(&self, Key { table, key }: &Key) -> Option<Value> {
        let asked = json!({ "TableName": table, "Key": key, "ConsistentRead": true });
        let mut answer = self.engine.call("GetItem", asked).ok()?;
        Some(answer["Item"].take()).filter(|item| !item.is_null())
    }

    /// Returns the cost of a query, which reads whole items, even those that it does not return.
    fn read_by_query(&self, request: &Value) -> f64 {
        let mut whole = request.clone();
        if let Some(members) = whole.as_object_mut() {
            members.retain(|name, _| !["ProjectionExpression", "Select"].contains(&name.as_str()));
        }
        let answer = self.engine.call("Query", whole).unwrap_or_default();
        let items = answer["Items"].as_array().into_iter().flatten();
        units::read(items.map(units::size).sum(), is_consistent(request))
    }
}

/// Returns the cost of a batch. Each key is charged separately, even if there is no item.
fn batch(asked: &Value, found: &Value) -> f64 {
    let consistent = is_consistent(asked);
    let keys = asked["Keys"].as_array().map_or(0, Vec::len);
    let found = found.as_array().map(Vec::as_slice).unwrap_or_default();
    let missing = std::iter::repeat_n(&Value::Null, keys.saturating_sub(found.len()));
    found.iter().chain(missing).map(|item| read_of(item, consistent)).sum()
}

fn read_of(item: &Value, consistent: bool) -> f64 {
    units::read(units::size(item), consistent)
}

fn is_consistent(request: &Value) -> bool {
    request["ConsistentRead"].as_bool().unwrap_or(false)
}

fn keys_of(indexed: &Value) -> Vec<String> {
    let keys = indexed["KeySchema"].as_array().into_iter().flatten();
    keys.filter_map(|key| key["AttributeName"].as_str().map(str::to_owned)).collect()
}
