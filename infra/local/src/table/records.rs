use schema::{Timestamp, clock::ahead};
use serde_json::{Value, json};

use crate::{Error, Result, table::Engine, template::Mapping};

const READING: &str = "reading the stream";

/// The records of a table's stream.
pub(crate) struct Records {
    engine: Engine,
    stream: String,
    shard: String,
}

impl Records {
    /// Returns the records of the stream of `table`.
    pub(crate) fn of(engine: &Engine, table: &str) -> Result<Self> {
        let streams = engine.call("ListStreams", json!({ "TableName": table }));
        let stream = text(&streams.map_err(Error::doing(READING))?["Streams"][0]["StreamArn"])?;
        let described = engine.call("DescribeStream", json!({ "StreamArn": stream }));
        let described = described.map_err(Error::doing(READING))?;
        let shard = text(&described["StreamDescription"]["Shards"][0]["ShardId"])?;
        Ok(Self { engine: engine.clone(), stream, shard })
    }

    /// Returns the sequence number of the last record, or an empty string if there is none.
    pub(crate) fn last(&self) -> Result<String> {
        let described = self.engine.call("DescribeStream", json!({ "StreamArn": self.stream }));
        let described = described.map_err(Error::doing(READING))?;
        let range = &described["StreamDescription"]["Shards"][0]["SequenceNumberRange"];
        Ok(range["EndingSequenceNumber"].as_str().unwrap_or_default().to_owned())
    }

    /// Returns a batch of records after the sequence number `after`, in Lambda's format.
    pub(crate) fn after(&self, after: &str, mapping: &Mapping, region: &str) -> Result<Vec<Value>> {
        let mut iterator = json!({
            "StreamArn": self.stream,
            "ShardId": self.shard,
            "ShardIteratorType": "TRIM_HORIZON",
        });
        if !after.is_empty() {
            iterator["ShardIteratorType"] = "AFTER_SEQUENCE_NUMBER".into();
            iterator["SequenceNumber"] = after.into();
        }
        let iterator =
            self.engine.call("GetShardIterator", iterator).map_err(Error::doing(READING))?;
        let read =
            json!({ "ShardIterator": iterator["ShardIterator"], "Limit": mapping.batch_size });
        let mut read = self.engine.call("GetRecords", read).map_err(Error::doing(READING))?;
        let Value::Array(records) = read["Records"].take() else { return Ok(Vec::new()) };
        Ok(records
            .into_iter()
            .map(|record| to_lambda_record(record, &mapping.arn, region))
            .collect())
    }
}

fn text(value: &Value) -> Result<String> {
    let text = value.as_str().map(str::to_owned);
    text.ok_or("the table has no stream").map_err(Error::doing(READING))
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
