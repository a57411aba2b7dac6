//! DynamoDB stream batches, and the dead-letter queue for records that cannot be handled.
//!
//! A record that fails is delivered again, and until then it blocks the records behind it in its
//! shard. That is right if a retry can succeed. A record that cannot be decoded, or that a service
//! refuses permanently, is sent to a dead-letter queue and skipped.

use std::time::Duration;

use aws_lambda_events::{
    dynamodb::EventRecord,
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

use crate::{Env, aws::Aws, config::ConfigError, dead_letter::DeadLetters, metric::Metric};
use domain::{Error, Result};
use schema::Timestamp;

/// Age at which a record with a transient failure is sent to the dead-letter queue, if other
/// records of its batch succeed: the failure must then be the record's own.
const MAX_AGE: Duration = Duration::from_secs(900);

/// Records in order, as raw JSON, so that a malformed record does not affect the others.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Batch {
    records: Vec<Box<RawValue>>,
    /// Whether the records come from the dead-letter queue.
    #[serde(rename = "IsSetAside", default)]
    is_redriven: bool,
}

/// A record and its decoded content.
#[derive(Debug)]
pub struct StreamRecord<T> {
    /// The sequence number, which identifies the record to Lambda.
    pub sequence: String,
    /// The decoded content, or the error from decoding it.
    read: Result<T>,
    /// The failure of handling the record.
    failure: Option<Error>,
    raw: Box<RawValue>,
    is_redriven: bool,
}

/// The location of a record, which every record contains.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Location {
    #[serde(rename = "eventSourceARN")]
    stream: String,
    dynamodb: Position,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct Position {
    sequence_number: String,
    /// Time of the change, in seconds since 1970-01-01.
    approximate_creation_date_time: Value,
    keys: Option<Box<RawValue>>,
}

impl Batch {
    /// Decodes each record with `read`. All errors of `read` count as permanent.
    pub fn read<T>(self, read: impl Fn(EventRecord) -> Result<T>) -> Vec<StreamRecord<T>> {
        let records = self.records.into_iter().map(|raw| {
            let is_redriven = self.is_redriven;
            let record = parse::<EventRecord>(&raw).map_err(Error::permanent(READING));
            let record = record.and_then(|record| {
                let (new, old) = (&record.change.new_image, &record.change.old_image);
                if is_redriven && new.is_empty() && old.is_empty() {
                    return Err(Error::permanent(READING)(
                        "the record was queued without its images",
                    ));
                }
                read(record).map_err(Error::permanent(READING))
            });
            let sequence = Location::of(&raw).dynamodb.sequence_number;
            StreamRecord { sequence, read: record, failure: None, raw, is_redriven }
        });
        records.collect()
    }
}

const READING: &str = "reading a stream record";

impl<T> StreamRecord<T> {
    /// Returns the sequence number and the content, or `None` if the record cannot be decoded.
    pub fn readable(&self) -> Option<(&str, &T)> {
        Some((&self.sequence, self.read.as_ref().ok()?))
    }

    /// Records a failure of handling the record.
    pub fn fail(&mut self, error: Error) {
        self.failure = Some(error);
    }

    /// Returns the error from decoding or handling the record.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        self.read.as_ref().err().or(self.failure.as_ref())
    }

    fn is_old(&self) -> bool {
        let made = Location::of(&self.raw).dynamodb.approximate_creation_date_time.as_f64();
        let made = made.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        made.is_some_and(|made| crate::now().since(Timestamp::from_millis(0) + made) > MAX_AGE)
    }
}

impl Location {
    fn of(raw: &RawValue) -> Self {
        parse(raw).unwrap_or_default()
    }
}

fn parse<T: DeserializeOwned>(raw: &RawValue) -> serde_json::Result<T> {
    serde_json::from_str(raw.get())
}

/// The dead-letter queue for stream records.
#[derive(Debug)]
pub struct Failures(DeadLetters);

/// The payload with which the function is invoked again after the cause is fixed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Payload<R> {
    records: [R; 1],
    #[serde(rename = "IsSetAside")]
    is_redriven: bool,
}

impl Failures {
    /// Creates the queue `STREAM_FAILURES_URL`.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Missing`] if the variable is not set.
    pub fn from_env(env: &Env, aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self(DeadLetters::from_env(env, aws, "STREAM_FAILURES_URL")?))
    }

    /// Sends failed records that are not worth a retry to the dead-letter queue. Returns the
    /// sequence number of the first record to retry; Lambda delivers it again with all records
    /// behind it.
    ///
    /// A record is sent to the queue if its failure is permanent, or if it keeps failing while
    /// `others_succeed`. Records behind the one to retry are not considered yet, so that each is
    /// sent only once; a crash in between can send a record twice. A record from the queue that
    /// still fails is returned, so that it stays in the queue.
    pub async fn dead_letter_failures<T>(
        &self,
        records: &[StreamRecord<T>],
        others_succeed: bool,
    ) -> Option<String> {
        for record in records {
            let Some(error) = record.error() else { continue };
            let (sequence, cause) = (&record.sequence, error.with_causes());
            let is_given_up = error.is_permanent() || (others_succeed && record.is_old());
            if !is_given_up || record.is_redriven {
                tracing::error!(error = %cause, sequence, "a stream record failed");
                self.0.metrics.write(&Metric::ItemFailed, crate::now());
                return Some(sequence.clone());
            }
            if let Err(cause) = self.dead_letter(record, error).await {
                let error = cause.with_causes();
                tracing::error!(%error, sequence, "the dead-letter queue refused a record");
                self.0.metrics.write(&Metric::ItemFailed, crate::now());
                return Some(sequence.clone());
            }
            tracing::error!(error = %cause, sequence, "record sent to the dead-letter queue");
        }
        None
    }

    /// Sends a record to the queue. If the record is too large, its images are left out; they are
    /// in the table.
    async fn dead_letter<T>(&self, record: &StreamRecord<T>, error: &Error) -> Result<()> {
        let location = Location::of(&record.raw);
        let arn = self.arn(&location.stream);
        let whole = Payload { records: [&record.raw], is_redriven: true };
        match self.0.put(arn.clone(), whole, error).await {
            Err(refused) if refused.is_permanent() => {
                let part = Payload { records: [location], is_redriven: true };
                self.0.put(arn, part, error).await
            }
            put => put,
        }
    }

    /// Returns the function's ARN, derived from the stream's ARN. Returns the function's name,
    /// which works as well, if the record names no stream.
    fn arn(&self, stream: &str) -> String {
        let function = &self.0.function;
        let parts: Vec<_> = stream.split(':').collect();
        match parts.as_slice() {
            ["arn", partition, "dynamodb", region, account, ..] => {
                format!("arn:{partition}:lambda:{region}:{account}:function:{function}")
            }
            _ => function.clone(),
        }
    }
}

/// Returns the response that makes Lambda deliver the record `failed` and all records behind it
/// again.
#[must_use]
pub fn answer(failed: Option<String>) -> DynamoDbEventResponse {
    let mut response = DynamoDbEventResponse::default();
    response.batch_item_failures.extend(failed.map(|sequence| {
        let mut failure = DynamoDbBatchItemFailure::default();
        failure.item_identifier = Some(sequence);
        failure
    }));
    response
}
