//! The embedded DynamoDB, with the tables of the template.

mod engine;
mod meter;
mod proxy;
mod streams;

use std::{collections::BTreeSet, path::Path};

use dynoxide::{Database, DynoxideError};
use rusqlite::Connection;
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) use engine::{Engine, External};
pub(crate) use meter::Meter;
pub(crate) use proxy::Proxy;
pub(crate) use streams::Streams;

use crate::{Error, Result, template::Table};
use engine::Fault;

/// An index of the stream by sequence number. Writes look for the last record and readers for the
/// next ones. Without an index, they would search all records ever written.
const STREAM_ORDER: &str = "CREATE INDEX IF NOT EXISTS stream_order
    ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// Opens the database in `file`, or a database in memory.
pub(crate) fn open(file: Option<&Path>) -> Result<Database, DynoxideError> {
    match file {
        Some(file) => open_at(&file.to_string_lossy()),
        None => open_at(&in_memory()),
    }
}

fn open_at(place: &str) -> Result<Database, DynoxideError> {
    let database = Database::new(place)?;
    Connection::open(place)?.execute_batch(STREAM_ORDER)?;
    Ok(database)
}

/// Returns the name of a database in memory. A second connection can open it while the first one is
/// open.
fn in_memory() -> String {
    format!("file:{}?mode=memory&cache=shared", Uuid::now_v7())
}

/// Creates missing tables.
pub(crate) fn create(engine: &Engine, tables: &[Table]) -> Result<()> {
    let doing = || Error::doing("creating the table");
    for table in tables {
        match engine.call("DescribeTable", json!({ "TableName": table.name })) {
            Ok(found) => must_fit(table, &found["Table"])?,
            Err(Fault::NoTable) => {
                engine.call("CreateTable", table.create.clone()).map_err(doing())?;
                // DynamoDB Local would delete expired items while a test looks at them.
                let attribute = table.ttl_attribute.as_ref().filter(|_| engine.is_embedded());
                if let Some(attribute) = attribute {
                    let specification = json!({ "AttributeName": attribute, "Enabled": true });
                    let update = json!({ "TableName": table.name, "TimeToLiveSpecification": specification });
                    engine.call("UpdateTimeToLive", update).map_err(doing())?;
                }
            }
            Err(cause) => return Err(doing()(cause)),
        }
    }
    Ok(())
}

/// Returns every item of a table, in DynamoDB's JSON.
pub(crate) fn items(engine: &Engine, table: &str) -> Result<Vec<Value>> {
    scan(engine, json!({ "TableName": table }))
}

fn scan(engine: &Engine, mut scan: Value) -> Result<Vec<Value>> {
    let mut items = Vec::new();
    loop {
        let page = engine.call("Scan", scan.clone()).map_err(Error::doing("reading the table"))?;
        items.extend(page["Items"].as_array().into_iter().flatten().cloned());
        match page.get("LastEvaluatedKey").filter(|key| !key.is_null()) {
            Some(key) => scan["ExclusiveStartKey"] = key.clone(),
            None => return Ok(items),
        }
    }
}

/// Puts `items`, in DynamoDB's JSON, into a table, bypassing its stream if possible.
pub(crate) fn import(engine: &Engine, table: &str, items: Vec<Value>) -> Result<()> {
    engine.import(table, items).map_err(Error::doing("writing the table"))
}

/// Deletes expired items, which DynamoDB does within a few days. Returns their number.
pub(crate) fn sweep(engine: &Engine, table: &Table, now: i64) -> Result<usize> {
    const DOING: &str = "deleting expired items";
    let Some(attribute) = &table.ttl_attribute else { return Ok(0) };
    // The embedded engine reads the system's clock.
    if let Engine::Embedded(database) = engine
        && schema::clock::ahead().is_zero()
    {
        return database.sweep_ttl().map_err(Error::doing(DOING));
    }
    let of_expired = |mut request: Value| {
        request["TableName"] = table.name.as_str().into();
        request["ExpressionAttributeNames"] = json!({ "#expiry": attribute });
        request["ExpressionAttributeValues"] = json!({ ":now": { "N": now.to_string() } });
        request
    };
    let mut deleted = 0;
    for item in scan(engine, of_expired(json!({ "FilterExpression": "#expiry <= :now" })))? {
        let key = json!({ "pk": item["pk"], "sk": item["sk"] });
        let delete = json!({ "Key": key, "ConditionExpression": "#expiry <= :now" });
        match engine.call("DeleteItem", of_expired(delete)) {
            Ok(_) => deleted += 1,
            // The item has been written again.
            Err(Fault::Condition) => {}
            Err(cause) => return Err(Error::doing(DOING)(cause)),
        }
    }
    Ok(deleted)
}

/// Checks that an existing table has the keys and indexes of the template.
fn must_fit(table: &Table, found: &Value) -> Result<()> {
    let keys = |table: &Value| table["KeySchema"].to_string();
    let indexes = |table: &Value| -> BTreeSet<String> {
        let indexes = table["GlobalSecondaryIndexes"].as_array().into_iter().flatten();
        indexes.map(|index| format!("{}{}", index["IndexName"], keys(index))).collect()
    };
    if keys(&table.create) == keys(found) && indexes(&table.create) == indexes(found) {
        return Ok(());
    }
    let cause = format!("{} has other keys or indexes than in the template", table.name);
    Err(Error::doing("opening the table")(format!("{cause}. Delete the data folder.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_record_is_found_with_the_index() {
        let place = in_memory();
        let _database = open_at(&place).unwrap();
        let last = "SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) + 1
            FROM _stream_records WHERE table_name = 'tenantry'";
        let plan: String = Connection::open(&place)
            .unwrap()
            .query_row(&format!("EXPLAIN QUERY PLAN {last}"), [], |row| row.get("detail"))
            .unwrap();
        assert!(plan.contains("INDEX stream_order (table_name=?)"), "{plan}");
    }
}
