use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use dynoxide::{Database, DynoxideError, ImportOptions};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::Result;

/// The DynamoDB that holds the tables.
#[derive(Clone)]
pub(crate) enum Engine {
    /// The embedded engine.
    Embedded(Database),
    /// Amazon's DynamoDB Local, which tests compare with the embedded engine.
    External(External),
}

/// Another DynamoDB on this machine.
#[derive(Clone, Debug)]
pub(crate) struct External {
    /// Its address, such as `127.0.0.1:8000`.
    pub(crate) address: String,
    /// The access key that separates our data from that of other runs.
    pub(crate) key: String,
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The table does not exist.
    #[error("the table does not exist")]
    NoTable,
    /// The condition of a write is not met.
    #[error("the condition is not met")]
    Condition,
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

impl Engine {
    /// Returns whether this is the embedded engine.
    pub(crate) fn is_embedded(&self) -> bool {
        matches!(self, Self::Embedded(_))
    }

    /// Executes `action` for this crate. Functions use HTTP instead.
    pub(crate) fn call(&self, action: &str, request: Value) -> Result<Value, Fault> {
        let database = match self {
            Self::Embedded(database) => database,
            Self::External(other) => return other.call(action, &request),
        };
        match action {
            "CreateTable" => answer(database.create_table(read(request)?)),
            "DeleteItem" => answer(database.delete_item(read(request)?)),
            "DescribeStream" => answer(database.describe_stream(read(request)?)),
            "DescribeTable" => answer(database.describe_table(read(request)?)),
            "GetItem" => answer(database.get_item(read(request)?)),
            "GetRecords" => answer(database.get_records(read(request)?)),
            "GetShardIterator" => answer(database.get_shard_iterator(read(request)?)),
            "ListStreams" => answer(database.list_streams(read(request)?)),
            "Query" => answer(database.query(read(request)?)),
            "Scan" => answer(database.scan(read(request)?)),
            "UpdateTimeToLive" => answer(database.update_time_to_live(read(request)?)),
            _ => Err(Fault::Failed(format!("{action} is not supported"))),
        }
    }
}

/// Maximum items of a batch (AWS limit of `BatchWriteItem`).
const BATCH: usize = 25;

impl Engine {
    /// Puts items into a table. Only the embedded engine can bypass the stream.
    pub(crate) fn import(&self, table: &str, items: Vec<Value>) -> Result<(), Fault> {
        match self {
            Self::Embedded(database) => {
                let items = items.into_iter().map(read).collect::<Result<_, _>>()?;
                let imported = database.import_items(table, items, ImportOptions::default());
                imported.map(drop).map_err(failed)
            }
            Self::External(other) => {
                items.chunks(BATCH).try_for_each(|batch| put_batch(other, table, batch))
            }
        }
    }
}

/// Puts a batch of items, and again what the table did not process.
fn put_batch(other: &External, table: &str, items: &[Value]) -> Result<(), Fault> {
    let put = |item: &Value| json!({ "PutRequest": { "Item": item } });
    let mut left = json!({ table: items.iter().map(put).collect::<Vec<_>>() });
    while left.as_object().is_some_and(|left| !left.is_empty()) {
        let mut answer = other.call("BatchWriteItem", &json!({ "RequestItems": left }))?;
        left = answer["UnprocessedItems"].take();
    }
    Ok(())
}

fn read<T: DeserializeOwned>(request: Value) -> Result<T, Fault> {
    serde_json::from_value(request).map_err(failed)
}

fn answer<T: Serialize>(answer: Result<T, DynoxideError>) -> Result<Value, Fault> {
    match answer {
        Ok(answer) => serde_json::to_value(answer).map_err(failed),
        Err(DynoxideError::ResourceNotFoundException(_)) => Err(Fault::NoTable),
        Err(DynoxideError::ConditionalCheckFailedException(..)) => Err(Fault::Condition),
        Err(cause) => Err(failed(cause)),
    }
}

impl External {
    /// Sends one request over its own connection.
    pub(super) fn call(&self, action: &str, request: &Value) -> Result<Value, Fault> {
        let version = match action {
            "DescribeStream" | "GetRecords" | "GetShardIterator" | "ListStreams" => {
                "DynamoDBStreams_20120810"
            }
            _ => "DynamoDB_20120810",
        };
        let (address, body) = (&self.address, request.to_string());
        let head = [
            "POST / HTTP/1.1".into(),
            format!("host: {address}"),
            format!("x-amz-target: {version}.{action}"),
            format!("authorization: {}", self.sign("local")),
            "content-type: application/x-amz-json-1.0".into(),
            format!("content-length: {}", body.len()),
            "connection: close\r\n\r\n".into(),
        ];
        let reply = exchange(address, &(head.join("\r\n") + &body)).map_err(failed)?;
        let (head, body) = reply.split_once("\r\n\r\n").unwrap_or_default();
        let body: Value = serde_json::from_str(body).map_err(failed)?;
        let is = |kind: &str| body["__type"].as_str().is_some_and(|full| full.contains(kind));
        match head.split(' ').nth(1) {
            Some("200") => Ok(body),
            _ if is("ResourceNotFound") => Err(Fault::NoTable),
            _ if is("ConditionalCheckFailed") => Err(Fault::Condition),
            _ => Err(Fault::Failed(body.to_string())),
        }
    }

    /// Returns `authorization` with our access key. DynamoDB Local does not check the signature.
    pub(crate) fn sign(&self, authorization: &str) -> String {
        let key = &self.key;
        match authorization.split_once("Credential=").and_then(|(_, rest)| rest.split_once('/')) {
            Some((_, rest)) => format!("AWS4-HMAC-SHA256 Credential={key}/{rest}"),
            None => format!(
                "AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/dynamodb/aws4_request, \
                 SignedHeaders=host, Signature=0"
            ),
        }
    }
}

fn exchange(address: &str, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.write_all(request.as_bytes())?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).map(|_| reply)
}

fn failed(cause: impl std::fmt::Display) -> Fault {
    Fault::Failed(cause.to_string())
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Embedded(_) => f.write_str("Embedded"),
            Self::External(other) => other.fmt(f),
        }
    }
}
