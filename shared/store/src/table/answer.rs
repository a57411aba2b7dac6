//! Answers of DynamoDB, read without the SDK, which does everything else: it signs, sends, retries, and
//! reads errors.

use std::{
    cell::RefCell,
    collections::HashMap,
    error::Error as StdError,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept, context::BeforeDeserializationInterceptorContextMut as BeforeDeserialization,
        },
        orchestrator::HttpResponse,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::{body::SdkBody, config_bag::ConfigBag};
use bytes::Bytes;
use futures_util::FutureExt;
use http_body::{Body, Frame};
use serde::{Deserialize, de::DeserializeOwned};

use crate::table::raw_item::RawItem;
use domain::{Error, Result};
use lambda::fault::Service;

tokio::task_local! {
    /// The body of the answer to the read that a task is waiting for.
    static BODY: RefCell<Vec<u8>>;
}

/// Returns the answer to the read that `sent` sends. The client must have the interceptor
/// [`KeepBody`].
///
/// # Errors
///
/// An error of DynamoDB, or [`Error::Internal`] if the answer cannot be read. Both say what the
/// caller was `doing`.
pub(crate) fn answer<A, O, E>(
    sent: impl Future<Output = Result<O, SdkError<E, HttpResponse>>> + Send + 'static,
    doing: &'static str,
) -> impl Future<Output = Result<A>> + Send
where
    A: DeserializeOwned + 'static,
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    // The SDK's future is too large, and its type too deep, to be part of others.
    let read = async move {
        sent.await.map_err(Service::DynamoDb.error(doing))?;
        let body = String::from_utf8(BODY.with(RefCell::take)).map_err(Error::internal(doing))?;
        serde_json::from_str(&body).map_err(Error::internal(doing))
    };
    BODY.scope(RefCell::default(), read.boxed())
}

/// The answer to `GetItem`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetItem {
    pub(crate) item: Option<RawItem>,
}

/// The answer to `Query`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Query {
    #[serde(default)]
    pub(crate) items: Vec<RawItem>,
    pub(crate) last_evaluated_key: Option<RawItem>,
}

/// The answer to `BatchGetItem`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BatchGetItem {
    /// The items by table.
    #[serde(default)]
    pub(crate) responses: HashMap<String, Vec<RawItem>>,
    #[serde(default)]
    pub(crate) unprocessed_keys: HashMap<String, Unprocessed>,
}

/// The keys of a table that `BatchGetItem` left out.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Unprocessed {
    pub(crate) keys: Vec<RawItem>,
}

/// Keeps the body of a successful [`answer`] from the SDK, which takes it for empty.
#[derive(Debug)]
pub(crate) struct KeepBody;

impl Intercept for KeepBody {
    fn name(&self) -> &'static str {
        "KeepBody"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserialization<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        // An attempt before may have read a part.
        let is_kept = BODY.try_with(|body| body.borrow_mut().clear()).is_ok();
        if is_kept && response.status().is_success() {
            let body = std::mem::replace(response.body_mut(), SdkBody::taken());
            *response.body_mut() = SdkBody::from_body_1_x(KeptBody(body));
        }
        Ok(())
    }
}

/// A body that ends before its first byte, when all bytes are kept.
struct KeptBody(SdkBody);

impl Body for KeptBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        while let Some(frame) = ready!(Pin::new(&mut self.0).poll_frame(context)) {
            if let Some(data) = frame?.data_ref() {
                BODY.try_with(|body| body.borrow_mut().extend_from_slice(data))?;
            }
        }
        Poll::Ready(None)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use crate::{Store, table::key::Key};

    /// Starts a table that gives these answers, each of them in a connection of its own.
    async fn table<const N: usize>(answers: [String; N]) -> Store {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let store = Store::at(&format!("http://{}", server.local_addr().unwrap()));
        tokio::spawn(async move {
            for answer in answers {
                let (mut caller, _) = server.accept().await.unwrap();
                let _ = caller.read(&mut [0; 8192]).await.unwrap();
                caller.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        store
    }

    /// Returns an answer of which only the first `sent` bytes of the body arrive.
    fn answer(status: &str, body: &str, sent: usize) -> String {
        let length = body.len();
        let headers = format!("content-length: {length}\r\nconnection: close");
        format!("HTTP/1.1 {status}\r\n{headers}\r\n\r\n{}", &body[..sent])
    }

    #[tokio::test]
    async fn a_read_survives_a_refusal_and_half_an_answer() {
        let refusal = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException"}"#;
        let (item, other) = (r#"{"Item":{"n":{"N":"7"}}}"#, r#"{"Item":{"n":{"N":"1"}}}"#);
        let store = table([
            answer("400 Bad Request", refusal, refusal.len()),
            answer("200 OK", other, other.len() - 1),
            answer("200 OK", item, item.len()),
        ]);
        let found: Option<BTreeMap<String, u64>> = store.await.get(Key::catalog()).await.unwrap();
        assert_eq!(found.unwrap()["n"], 7);
    }

    #[tokio::test]
    async fn an_answer_that_is_not_one_is_an_error() {
        let store = table([answer("200 OK", "[]", 2)]).await;
        let error = store.get::<BTreeMap<String, u64>>(Key::catalog()).await.unwrap_err();
        assert!(error.with_causes().to_string().contains("reading an item"), "{error:?}");
    }
}
