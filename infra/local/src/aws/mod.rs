//! Simulates the calls of EventBridge, SES v2, Secrets Manager, SQS and CodePipeline that the
//! functions make. Any other call is rejected with an error that names it.

mod codepipeline;
mod detail;
mod events;
mod fault;
mod generate;
mod secrets;
mod ses;
mod sqs;

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State as Shared},
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) use fault::AwsFault;

use crate::{
    bus::Buses,
    calls::{Calls, Verdict},
    state::State,
    template::Template,
};

type Result<T, E = AwsFault> = std::result::Result<T, E>;

/// The simulated AWS services.
#[derive(Debug)]
pub(crate) struct Aws {
    pub(crate) state: Arc<State>,
    pub(crate) calls: Arc<Calls>,
    pub(crate) buses: Arc<Buses>,
    pub(crate) template: Arc<Template>,
    /// The URL of the HTTP API.
    pub(crate) api_url: String,
    /// The prefix of all ARNs in Secrets Manager.
    pub(crate) secrets_arn: String,
}

impl Aws {
    /// Returns the router of the services.
    pub(crate) fn router(self: Arc<Self>) -> Router {
        // PutEvents accepts 1 MB. An encoded email may be larger.
        Router::new().fallback(answer).layer(DefaultBodyLimit::max(10 << 20)).with_state(self)
    }

    /// Answers a call.
    pub(crate) fn call(&self, service: &'static str, action: &str, body: &[u8]) -> Result<Value> {
        match (service, action) {
            ("EventBridge", "PutEvents") => self.put_events(read(body)?),
            ("SES", "SendEmail") => self.send_email(read(body)?),
            ("SecretsManager", "CreateSecret") => self.create_secret(read(body)?),
            ("SecretsManager", "DeleteSecret") => self.delete_secret(&read(body)?),
            ("SecretsManager", "DescribeSecret") => self.describe_secret(&read(body)?),
            ("SecretsManager", "GetSecretValue") => self.secret_value(&read(body)?),
            ("SQS", "SendMessage") => self.send_message(&read(body)?),
            ("CodePipeline", "StartPipelineExecution") => self.start_execution(read(body)?),
            ("CodePipeline", "GetPipelineExecution") => self.execution(&read(body)?),
            _ => Err(AwsFault::not_simulated(&format!("{service} {action}"))),
        }
    }
}

async fn answer(
    Shared(aws): Shared<Arc<Aws>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (service, action) = action_of(&method, &uri, &headers);
    let verdict = aws.calls.record(&headers, service, &action, &body);
    match verdict {
        Verdict::Unanswered => return std::future::pending().await,
        Verdict::Reject => return AwsFault::internal_failure().into_response(),
        Verdict::RejectWith(code) => {
            return AwsFault::client_error(code, "simulated failure").into_response();
        }
        Verdict::Answer | Verdict::LoseAnswer => {}
    }
    let answered = aws.call(service, &action, &body);
    match (verdict, answered) {
        (Verdict::LoseAnswer, _) => AwsFault::internal_failure().into_response(),
        (_, Ok(value)) => {
            let kind = ("content-type", "application/x-amz-json-1.1".to_owned());
            let headers = [kind, fault::request_id()];
            (StatusCode::OK, headers, value.to_string()).into_response()
        }
        (_, Err(fault)) => fault.into_response(),
    }
}

/// Returns the service and action that a request calls.
pub(crate) fn action_of(method: &Method, uri: &Uri, headers: &HeaderMap) -> (&'static str, String) {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    match target.and_then(|target| target.split_once('.')) {
        Some(("AWSEvents", action)) => ("EventBridge", action.to_owned()),
        Some(("secretsmanager", action)) => ("SecretsManager", action.to_owned()),
        Some(("AmazonSQS", action)) => ("SQS", action.to_owned()),
        Some(("CodePipeline_20150709", action)) => ("CodePipeline", action.to_owned()),
        Some((service, action)) => ("AWS", format!("{service}.{action}")),
        None if method == Method::POST && uri.path() == "/v2/email/outbound-emails" => {
            ("SES", "SendEmail".into())
        }
        None => ("AWS", format!("{method} {}", uri.path())),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_json::from_slice(body)
        .map_err(|cause| AwsFault::client_error("SerializationException", cause.to_string()))
}
