//! The HTTP client of the AWS SDKs: calls are answered in process, after a while, or not at all.

use std::{fmt, sync::Arc, time::Duration};

use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
            http_client_fn,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use local::{Answered, Services};
use serde_json::{Value, json};

use crate::{cognito, faults::Fault, invocation::Invocation, world::World};

/// The shortest and the longest time of a slow call, there or back.
const FAST: Duration = Duration::from_millis(12);
const SLOW: Duration = Duration::from_millis(1_450);

/// The functions that write no tenants.
const STREAM: [&str; 3] = ["mailer", "relay", "upkeep"];

/// Longer than a client waits for an answer, which is 3 s.
const TOO_LATE: Duration = Duration::from_secs(4);

/// Returns the client for all functions of a world.
pub(crate) fn client(world: &Arc<World>) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(Connector(Arc::clone(world)));
    http_client_fn(move |_, _| connector.clone())
}

struct Connector(Arc<World>);

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let world = Arc::clone(&self.0);
        let call = Call::read(&request);
        HttpConnectorFuture::new(async move { world.exchange(call).await })
    }
}

/// A call of an action of a service.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) service: &'static str,
    pub(crate) action: String,
    pub(crate) body: Vec<u8>,
    /// The invocation that makes the call. `None` while functions start.
    pub(crate) by: Option<Arc<Invocation>>,
}

impl Call {
    fn read(request: &HttpRequest) -> Self {
        let mut headers = HeaderMap::new();
        if let Some(target) = request.headers().get("x-amz-target")
            && let Ok(target) = HeaderValue::from_str(target)
        {
            headers.insert(HeaderName::from_static("x-amz-target"), target);
        }
        let method: Method = request.method().parse().unwrap_or_default();
        let uri: Uri = request.uri().parse().unwrap_or_default();
        let (service, action) = Services::action_of(&method, &uri, &headers);
        let (service, action) = match action.strip_prefix(cognito::TARGET) {
            Some(action) => (cognito::SERVICE, action.to_owned()),
            None => (service, action),
        };
        let body = request.body().bytes().unwrap_or_default().to_vec();
        Self { service, action, body, by: Invocation::current() }
    }

    /// Returns whether the call changes the table.
    pub(crate) fn is_write(&self) -> bool {
        let is_read = ["GetItem", "BatchGetItem", "Query"].contains(&self.action.as_str());
        self.service == "DynamoDB" && !is_read
    }

    /// Returns the body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.by {
            Some(by) => write!(f, "{by} {}", self.action),
            None => write!(f, "start {}", self.action),
        }
    }
}

impl World {
    async fn exchange(self: Arc<Self>, call: Call) -> Result<HttpResponse, ConnectorError> {
        let Some(by) = call.by.clone() else { return Ok(response(&self.execute(&call))) };
        self.wait_for_network().await;
        let fault = self.faults.of_call(call.service, &call.action, &self.chance);
        if let Some(fault) = fault {
            by.set_faulty();
            self.effects.note_fault(&by);
            self.trace.add(format_args!("{call}: {fault}"), &[]);
            let is_answered =
                ![Fault::CrashBefore, Fault::CrashAfter, Fault::AnswerLost, Fault::Late]
                    .contains(&fault);
            if call.is_write() && !is_answered && !STREAM.contains(&by.function.as_str()) {
                self.faults.note_missed_write();
            }
        }
        let lost = || Err(ConnectorError::io("the connection was lost".into()));
        match fault {
            None => {}
            Some(Fault::CrashBefore) => return self.crash(&by).await,
            Some(Fault::CrashAfter) => {
                self.execute(&call);
                return self.crash(&by).await;
            }
            Some(Fault::Unsent) => return lost(),
            Some(Fault::AnswerLost) => {
                self.execute(&call);
                return lost();
            }
            Some(Fault::Late) => {
                tokio::spawn(async move {
                    tokio::time::sleep(TOO_LATE).await;
                    self.execute(&call);
                });
                return std::future::pending().await;
            }
            Some(Fault::Throttled) => return Ok(response(&throttled())),
            Some(Fault::ServerError) => return Ok(response(&failed(&call))),
            Some(Fault::Conflict) => return Ok(response(&conflict(&call))),
            Some(Fault::Partial) => return Ok(response(&self.execute_partly(&call))),
        }
        let answered = self.execute(&call);
        self.wait_for_network().await;
        Ok(response(&answered))
    }

    /// Ends the invocation. The answer never arrives.
    async fn crash(&self, by: &Invocation) -> Result<HttpResponse, ConnectorError> {
        by.crash();
        std::future::pending().await
    }

    async fn wait_for_network(&self) {
        // Whole milliseconds, so that calls can also arrive at the same time. There and back, less than the
        // caller waits: a call that takes longer is a fault.
        let millis = match self.chance.is(150) {
            true => self.chance.time(FAST, SLOW).as_millis(),
            false => self.chance.below(12).into(),
        };
        let millis = u64::try_from(millis).unwrap_or_default();
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }

    /// Accepts some entries, and refuses the others.
    fn execute_partly(self: &Arc<Self>, call: &Call) -> Answered {
        let mut body = call.json();
        let Value::Array(entries) = body["Entries"].take() else { return failed(call) };
        let (mut accepted, mut kept) = (Vec::new(), Vec::new());
        for entry in entries {
            accepted.push(self.chance.is(500));
            kept.extend(accepted.last().is_some_and(|is| *is).then_some(entry));
        }
        let refused = accepted.len() - kept.len();
        let mut results = Vec::new();
        if !kept.is_empty() {
            body["Entries"] = kept.into();
            let part = Call { body: body.to_string().into(), ..call.clone() };
            let mut answer = self.execute(&part).json();
            results
                .extend(answer["Entries"].as_array_mut().map(std::mem::take).unwrap_or_default());
        }
        let mut results = results.into_iter();
        let refusal = json!({ "ErrorCode": "ThrottlingException", "ErrorMessage": "simulated" });
        let merged = accepted.into_iter().map(|is| {
            if is {
                results.next().unwrap_or_default()
            } else if self.swallows_partial_failures() {
                json!({ "EventId": "planted" })
            } else {
                refusal.clone()
            }
        });
        let merged: Vec<Value> = merged.collect();
        let body = json!({ "FailedEntryCount": refused, "Entries": merged });
        Answered { status: 200, body: body.to_string() }
    }
}

fn response(answered: &Answered) -> HttpResponse {
    let status = StatusCode::try_from(answered.status);
    let status = status.unwrap_or_else(|_| unreachable!("services answer with valid statuses"));
    HttpResponse::new(status, SdkBody::from(answered.body.as_str()))
}

/// Returns the answer of a service that refuses a call.
pub(crate) fn refusal(status: u16, code: &str) -> Answered {
    let body = json!({ "__type": code, "message": "simulated", "Message": "simulated" });
    Answered { status, body: body.to_string() }
}

fn throttled() -> Answered {
    refusal(400, "ThrottlingException")
}

fn failed(call: &Call) -> Answered {
    match call.service {
        "DynamoDB" => refusal(500, "InternalServerError"),
        _ => refusal(500, "InternalFailure"),
    }
}

fn conflict(call: &Call) -> Answered {
    let writes = call.json()["TransactItems"].as_array().map_or(1, Vec::len);
    let reasons: Vec<_> = (0..writes)
        .map(|at| json!({ "Code": if at == 0 { "TransactionConflict" } else { "None" } }))
        .collect();
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled, please refer cancellation reasons",
        "CancellationReasons": reasons,
    });
    Answered { status: 400, body: body.to_string() }
}
