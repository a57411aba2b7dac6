//! What Lambda hands over of a table's stream, and where a record goes that cannot be handled.
//!
//! A record that a function does not take comes again, and until then nothing behind it in its shard
//! does. That is right if the call will succeed one day. A record that cannot be read, or that a
//! service refuses for good, is set aside in a queue and passed over.

use std::time::Duration;

use aws_lambda_events::{
    dynamodb::EventRecord,
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

use crate::{
    Env, Error, Result, aws::Aws, config::ConfigError, dead_letter::DeadLetters, domain::Timestamp,
    metric::Metric,
};

/// How old a record is when it is set aside although its failure is transient, if others of its batch
/// succeed: then the failure is the record's own.
const PATIENCE: Duration = Duration::from_secs(900);

/// Records in their order, each as it came: one that has no meaning hides none of the others.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Batch {
    records: Vec<Box<RawValue>>,
    /// Whether they are handed over again out of the queue.
    #[serde(default)]
    is_set_aside: bool,
}

/// A record, and what it was read as.
#[derive(Debug)]
pub struct Record<T> {
    /// Its place in the stream, by which Lambda is told of it.
    pub sequence: String,
    /// What it says, or why it cannot be read.
    read: Result<T>,
    /// Why what it asks for could not be done.
    failure: Option<Error>,
    raw: Box<RawValue>,
    is_set_aside: bool,
}

/// Where a record is, which every record says.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Place {
    #[serde(rename = "eventSourceARN")]
    stream: String,
    dynamodb: Position,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct Position {
    sequence_number: String,
    /// When the change was made, in seconds since 1970.
    approximate_creation_date_time: Value,
    keys: Option<Box<RawValue>>,
}

impl Batch {
    /// Reads each record with `read`, whose errors are taken for permanent.
    pub fn read<T>(self, read: impl Fn(EventRecord) -> Result<T>) -> Vec<Record<T>> {
        let records = self.records.into_iter().map(|raw| {
            let is_set_aside = self.is_set_aside;
            let record = parse::<EventRecord>(&raw).map_err(Error::permanent(READING));
            let record = record.and_then(|record| {
                let (new, old) = (&record.change.new_image, &record.change.old_image);
                if is_set_aside && new.is_empty() && old.is_empty() {
                    return Err(Error::permanent(READING)("it was set aside without its images"));
                }
                read(record).map_err(Error::permanent(READING))
            });
            let sequence = Place::of(&raw).dynamodb.sequence_number;
            Record { sequence, read: record, failure: None, raw, is_set_aside }
        });
        records.collect()
    }
}

const READING: &str = "reading a stream record";

impl<T> Record<T> {
    /// Its sequence and what it says, if it can be read.
    pub fn readable(&self) -> Option<(&str, &T)> {
        Some((&self.sequence, self.read.as_ref().ok()?))
    }

    /// Notes that what it asks for could not be done.
    pub fn fail(&mut self, error: Error) {
        self.failure = Some(error);
    }

    /// Why it cannot be read, or why what it asks for could not be done.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        self.read.as_ref().err().or(self.failure.as_ref())
    }

    fn is_old(&self) -> bool {
        let made = Place::of(&self.raw).dynamodb.approximate_creation_date_time.as_f64();
        let made = made.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        made.is_some_and(|made| crate::now().since(Timestamp::from_millis(0) + made) > PATIENCE)
    }
}

impl Place {
    fn of(raw: &RawValue) -> Self {
        parse(raw).unwrap_or_default()
    }
}

fn parse<T: DeserializeOwned>(raw: &RawValue) -> serde_json::Result<T> {
    serde_json::from_str(raw.get())
}

/// The queue of records that a function gave up.
#[derive(Debug)]
pub struct Failures(DeadLetters);

/// What the function is handed once the cause is mended.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Payload<R> {
    records: [R; 1],
    is_set_aside: bool,
}

impl Failures {
    /// The queue `STREAM_FAILURES_URL`.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Missing`] without it.
    pub fn from_env(env: &Env, aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self(DeadLetters::from_env(env, aws, "STREAM_FAILURES_URL")?))
    }

    /// Sets aside the failed records that are not worth another try; the sequence of the first record
    /// that is. It comes again with all behind it.
    ///
    /// A record is set aside if its failure is permanent, or if it keeps failing while `others_succeed`.
    /// What lies behind the record that comes again is looked at then, so that it is set aside once. A
    /// stop in between sets it aside twice. What comes out of the queue and still fails is named, so that
    /// it stays there.
    pub async fn pass_over<T>(
        &self,
        records: &[Record<T>],
        others_succeed: bool,
    ) -> Option<String> {
        for record in records {
            let Some(error) = record.error() else { continue };
            let (sequence, cause) = (&record.sequence, error.with_causes());
            let is_given_up = error.is_permanent() || (others_succeed && record.is_old());
            if !is_given_up || record.is_set_aside {
                tracing::error!(error = %cause, sequence, "a stream record failed");
                self.0.metrics.write(&Metric::ItemFailed, crate::now());
                return Some(sequence.clone());
            }
            if let Err(cause) = self.set_aside(record, error).await {
                let error = cause.with_causes();
                tracing::error!(%error, sequence, "a stream record cannot be set aside");
                self.0.metrics.write(&Metric::ItemFailed, crate::now());
                return Some(sequence.clone());
            }
            tracing::error!(error = %cause, sequence, "a stream record failed for good: set aside");
        }
        None
    }

    /// A record that the queue refuses, since it is too large, is set aside without its images: they are
    /// in the table.
    async fn set_aside<T>(&self, record: &Record<T>, error: &Error) -> Result<()> {
        let place = Place::of(&record.raw);
        let arn = self.arn(&place.stream);
        let whole = Payload { records: [&record.raw], is_set_aside: true };
        match self.0.put(arn.clone(), whole, error).await {
            Err(refused) if refused.is_permanent() => {
                let part = Payload { records: [place], is_set_aside: true };
                self.0.put(arn, part, error).await
            }
            put => put,
        }
    }

    /// Our ARN, which differs from that of the stream in service and resource; our name alone, which
    /// is as good for a call, if a record does not say whence it is.
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

/// The answer to Lambda that the record `failed` and all behind it have to come again.
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
