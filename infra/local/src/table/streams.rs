use std::collections::HashMap;

use schema::{Timestamp, clock::ahead};
use serde_json::{Value, json};

use crate::{
    Error, Result,
    table::Engine,
    template::{Mapping, Template},
};

const READING: &str = "reading the stream";
const NO_STREAM: &str = "the table has no stream";

/// The streams that functions read.
#[derive(Debug)]
pub(crate) struct Streams {
    engine: Engine,
    region: String,
    /// By table. Each is looked up once, because that reads all of its records.
    shards: HashMap<String, Shard>,
}

/// The shard of a stream.
#[derive(Debug)]
struct Shard {
    stream: String,
    id: String,
}

impl Streams {
    /// Looks up every stream that a function of `template` reads.
    pub(crate) fn of(template: &Template, engine: &Engine, region: &str) -> Result<Self> {
        let mut shards = HashMap::new();
        for mapping in template.functions.iter().flat_map(|function| &function.streams) {
            if !shards.contains_key(&mapping.table) {
                shards.insert(mapping.table.clone(), Shard::of(&mapping.table, engine)?);
            }
        }
        Ok(Self { engine: engine.clone(), region: region.to_owned(), shards })
    }

    /// Returns the sequence number of the last record for `mapping`, or an empty string if there is
    /// none.
    pub(crate) fn last(&self, mapping: &Mapping) -> Result<String> {
        let described = describe(&self.shard(mapping)?.stream, &self.engine)?;
        let range = &described["SequenceNumberRange"];
        Ok(range["EndingSequenceNumber"].as_str().unwrap_or_default().to_owned())
    }

    /// Returns a batch of records for `mapping` after the sequence number `after`, in Lambda's
    /// format.
    pub(crate) fn after(&self, after: &str, mapping: &Mapping) -> Result<Vec<Value>> {
        let shard = self.shard(mapping)?;
        let mut iterator = json!({
            "StreamArn": shard.stream,
            "ShardId": shard.id,
            "ShardIteratorType": "TRIM_HORIZON",
        });
        if !after.is_empty() {
            iterator["ShardIteratorType"] = "AFTER_SEQUENCE_NUMBER".into();
            iterator["SequenceNumber"] = after.into();
        }
        let iterator = call(&self.engine, "GetShardIterator", iterator)?;
        let read =
            json!({ "ShardIterator": iterator["ShardIterator"], "Limit": mapping.batch_size });
        let mut read = call(&self.engine, "GetRecords", read)?;
        let Value::Array(records) = read["Records"].take() else { return Ok(Vec::new()) };
        Ok(records
            .into_iter()
            .map(|record| to_lambda_record(record, &mapping.arn, &self.region))
            .collect())
    }

    fn shard(&self, mapping: &Mapping) -> Result<&Shard> {
        self.shards.get(&mapping.table).ok_or(NO_STREAM).map_err(Error::doing(READING))
    }
}

impl Shard {
    /// Looks up the shard of the stream of `table`.
    fn of(table: &str, engine: &Engine) -> Result<Self> {
        let streams = call(engine, "ListStreams", json!({ "TableName": table }))?;
        let stream = text(&streams["Streams"][0]["StreamArn"])?;
        let id = text(&describe(&stream, engine)?["ShardId"])?;
        Ok(Self { stream, id })
    }
}

/// Describes the shard of a stream.
fn describe(stream: &str, engine: &Engine) -> Result<Value> {
    let mut described = call(engine, "DescribeStream", json!({ "StreamArn": stream }))?;
    Ok(described["StreamDescription"]["Shards"][0].take())
}

fn call(engine: &Engine, action: &str, request: Value) -> Result<Value> {
    engine.call(action, request).map_err(Error::doing(READING))
}

fn text(value: &Value) -> Result<String> {
    let text = value.as_str().map(str::to_owned);
    text.ok_or(NO_STREAM).map_err(Error::doing(READING))
}

/// Converts a record to Lambda's format.
fn to_lambda_record(mut record: Value, arn: &str, region: &str) -> Value {
    record["awsRegion"] = region.into();
    record["eventSourceARN"] = arn.into();
    for image in ["NewImage", "OldImage"] {
        let attributes = record["dynamodb"].get_mut(image).and_then(Value::as_object_mut);
        attributes.into_iter().flat_map(|them| them.values_mut()).for_each(complete);
    }
    let time = &mut record["dynamodb"]["ApproximateCreationDateTime"];
    #[expect(clippy::cast_possible_truncation, reason = "Lambda sends whole seconds")]
    let seconds = time.as_f64().map(|seconds| seconds as i64);
    // The engine reads the system's clock.
    let seconds = seconds.map(|it| (Timestamp::from_millis(it * 1000) + ahead()).seconds());
    *time = json!(seconds);
    record
}

/// Completes an attribute: DynamoDB Local leaves out the content of an empty map, which DynamoDB does not.
fn complete(attribute: &mut Value) {
    match attribute {
        Value::Object(content) if content.is_empty() => *attribute = json!({ "M": {} }),
        Value::Object(content) => match content.iter_mut().next() {
            Some((kind, Value::Object(members))) if kind == "M" => {
                members.values_mut().for_each(complete);
            }
            Some((kind, Value::Array(elements))) if kind == "L" => {
                elements.iter_mut().for_each(complete);
            }
            _ => {}
        },
        _ => {}
    }
}
