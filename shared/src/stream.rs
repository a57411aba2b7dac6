//! What Lambda hands over of a table's stream, and where a record goes that can never be read.
//!
//! A record that a function does not take comes again, and until then nothing behind it in its shard
//! does. That is right where a call failed, which will go through one day. A record that cannot be
//! read now cannot be read in an hour either: it is set aside in a queue, and passed over.

use aws_lambda_events::{
    dynamodb::EventRecord,
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use aws_sdk_sqs::Client;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{json, value::RawValue};

use crate::{Env, Error, Result, aws::Aws, config::ConfigError};

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
    pub read: Result<T>,
    raw: Box<RawValue>,
    is_set_aside: bool,
}

/// Where a record is, which every record says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Place {
    #[serde(rename = "eventSourceARN")]
    stream: String,
    dynamodb: Position,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Position {
    sequence_number: String,
}

impl Batch {
    /// Reads each record with `read`.
    pub fn read<T>(self, read: impl Fn(EventRecord) -> Result<T>) -> Vec<Record<T>> {
        let records = self.records.into_iter().map(|raw| {
            let record = parse::<EventRecord>(&raw).map_err(Error::aws("reading a stream record"));
            let sequence = Place::of(&raw).dynamodb.sequence_number;
            let (read, is_set_aside) = (record.and_then(&read), self.is_set_aside);
            Record { sequence, read, raw, is_set_aside }
        });
        records.collect()
    }
}

impl<T> Record<T> {
    /// Its sequence and what it says, if it can be read.
    pub fn readable(&self) -> Option<(&str, &T)> {
        Some((&self.sequence, self.read.as_ref().ok()?))
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

/// The queue of records that can never be read.
#[derive(Debug)]
pub struct Failures {
    client: Client,
    queue: String,
    function: String,
}

/// A message, in the form that Lambda itself gives one about an event that failed.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'r> {
    version: &'static str,
    timestamp: String,
    request_context: Context,
    /// What the function is handed once it can read it.
    request_payload: Payload<'r>,
    response_payload: serde_json::Value,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    function_arn: String,
    condition: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Payload<'r> {
    records: [&'r RawValue; 1],
    is_set_aside: bool,
}

impl Failures {
    /// The queue `STREAM_FAILURES_URL`; Lambda says in `AWS_LAMBDA_FUNCTION_NAME` who we are.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Missing`] without the former.
    pub fn from_env(env: &Env, aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            client: aws.sqs(),
            queue: env.required("STREAM_FAILURES_URL")?.to_owned(),
            function: env.get("AWS_LAMBDA_FUNCTION_NAME").unwrap_or("unknown").to_owned(),
        })
    }

    /// Sets unread records aside that lie before the record `failed`, and answers Lambda: what is
    /// named there comes again with all behind it.
    ///
    /// What lies behind `failed` is looked at when it comes again, so that it is set aside once. A
    /// stop in between sets it aside twice. What comes out of the queue and still cannot be read is
    /// named, so that it stays there.
    pub async fn pass_over<T>(
        &self,
        records: &[Record<T>],
        failed: Option<String>,
    ) -> DynamoDbEventResponse {
        for record in records {
            if failed.as_ref() == Some(&record.sequence) {
                break;
            }
            let Err(error) = &record.read else { continue };
            let sequence = &record.sequence;
            if record.is_set_aside {
                tracing::error!(error = %error.with_causes(), sequence, "a stream record still cannot be read");
                return answer(Some(sequence.clone()));
            }
            match self.set_aside(record, error).await {
                Ok(()) => tracing::error!(
                    error = %error.with_causes(), sequence, "a stream record cannot be read: set aside"
                ),
                Err(cause) => {
                    let error = cause.with_causes();
                    tracing::error!(%error, sequence, "a stream record cannot be set aside");
                    return answer(Some(sequence.clone()));
                }
            }
        }
        answer(failed)
    }

    async fn set_aside<T>(&self, record: &Record<T>, error: &Error) -> Result<()> {
        let message = Message {
            version: "1.0",
            timestamp: crate::now().to_string(),
            request_context: Context {
                function_arn: self.arn(&Place::of(&record.raw).stream),
                condition: "Unreadable",
            },
            request_payload: Payload { records: [&record.raw], is_set_aside: true },
            response_payload: json!({ "errorMessage": error.to_string() }),
        };
        let body =
            serde_json::to_string(&message).map_err(Error::aws("writing a stream record"))?;
        let request = self.client.send_message().queue_url(&self.queue).message_body(body);
        request.send().await.map(drop).map_err(Error::aws("setting a stream record aside"))
    }

    /// Our ARN, which differs from that of the stream in service and resource; our name alone, which
    /// is as good for a call, where a record does not say whence it is.
    fn arn(&self, stream: &str) -> String {
        let parts: Vec<_> = stream.split(':').collect();
        match parts.as_slice() {
            ["arn", partition, "dynamodb", region, account, ..] => {
                format!("arn:{partition}:lambda:{region}:{account}:function:{}", self.function)
            }
            _ => self.function.clone(),
        }
    }
}

fn answer(failed: Option<String>) -> DynamoDbEventResponse {
    let mut response = DynamoDbEventResponse::default();
    response.batch_item_failures.extend(failed.map(|sequence| {
        let mut failure = DynamoDbBatchItemFailure::default();
        failure.item_identifier = Some(sequence);
        failure
    }));
    response
}
