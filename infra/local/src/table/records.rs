use dynoxide::Database;
use serde_json::{Value, json};

use crate::{
    Error, Result,
    table::{request, to_json},
    template::Mapping,
};

const READING: &str = "reading the stream";

/// The records of a table's stream.
pub(crate) struct Records {
    database: Database,
    stream: String,
    shard: String,
}

impl Records {
    /// The stream of the table `table`.
    pub(crate) fn of(database: &Database, table: &str) -> Result<Self> {
        let streams = database.list_streams(request(json!({ "TableName": table }))?);
        let streams = streams.map_err(Error::doing(READING))?.streams;
        let stream = streams.into_iter().next();
        let stream =
            stream.ok_or("the table has no stream").map_err(Error::doing(READING))?.stream_arn;
        let described = database.describe_stream(request(json!({ "StreamArn": stream }))?);
        let shards = described.map_err(Error::doing(READING))?.stream_description.shards;
        let shard = shards
            .into_iter()
            .next()
            .ok_or("the stream has no shard")
            .map_err(Error::doing(READING))?;
        Ok(Self { database: database.clone(), stream, shard: shard.shard_id })
    }

    /// The sequence number of the last record; empty where there is none.
    pub(crate) fn last(&self) -> Result<String> {
        let described =
            self.database.describe_stream(request(json!({ "StreamArn": self.stream }))?);
        let shards = described.map_err(Error::doing(READING))?.stream_description.shards;
        let last = shards.into_iter().next().map(|shard| shard.sequence_number_range);
        Ok(last.and_then(|range| range.ending_sequence_number).unwrap_or_default())
    }

    /// Records after the sequence number `after`, as Lambda hands them over.
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
            self.database.get_shard_iterator(request(iterator)?).map_err(Error::doing(READING))?;
        let read = json!({ "ShardIterator": iterator.shard_iterator, "Limit": mapping.batch_size });
        let read = self.database.get_records(request(read)?).map_err(Error::doing(READING))?;
        let records = to_json(&read)?["Records"].take();
        let records = records.as_array().cloned().unwrap_or_default();
        Ok(records.into_iter().map(|record| dressed(record, &mapping.arn, region)).collect())
    }
}

/// The record as Lambda dresses it.
fn dressed(mut record: Value, arn: &str, region: &str) -> Value {
    record["awsRegion"] = region.into();
    record["eventSourceARN"] = arn.into();
    let time = &mut record["dynamodb"]["ApproximateCreationDateTime"];
    #[expect(clippy::cast_possible_truncation, reason = "Lambda tells whole seconds")]
    let seconds = time.as_f64().map(|seconds| seconds as i64);
    *time = json!(seconds);
    record
}
