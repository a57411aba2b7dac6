use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State as Shared},
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::sync::Notify;

use crate::{
    aws::AwsFault,
    calls::{Calls, Verdict},
    table::{Engine, External, Meter},
    template::Table,
};

/// Maximum size of a request, in bytes (AWS limit).
const MAX_BYTES: usize = 16 << 20;

/// A proxy in front of the database. It logs calls, makes some fail, and wakes the readers of
/// streams.
#[derive(Debug)]
pub(crate) struct Proxy {
    calls: Arc<Calls>,
    client: Client<HttpConnector, Body>,
    database: String,
    /// The other DynamoDB, if the embedded one is not used.
    other: Option<External>,
    meter: Meter,
    /// Notified after each write.
    pub(crate) written: Arc<Notify>,
}

impl Proxy {
    /// Creates a proxy for `engine`. The embedded engine listens at `database`, such as
    /// `127.0.0.1:8000`.
    pub(crate) fn new(
        calls: Arc<Calls>,
        engine: &Engine,
        tables: &[Table],
        database: String,
    ) -> Self {
        let other = match engine {
            Engine::Embedded(_) => None,
            Engine::External(other) => Some(other.clone()),
        };
        let database = other.as_ref().map_or(database, |other| other.address.clone());
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let meter = Meter::new(engine, tables);
        Self { calls, client, database, other, meter, written: Arc::default() }
    }

    pub(crate) fn router(self: Arc<Self>) -> Router {
        Router::new().fallback(forward).with_state(self)
    }

    async fn send(&self, mut request: Request) -> Response {
        let place = Uri::builder().scheme("http").authority(self.database.as_str());
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let Ok(uri) = place.path_and_query(path).build() else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        *request.uri_mut() = uri;
        request.headers_mut().remove(header::HOST);
        if let Some(other) = &self.other {
            let signed = request.headers().get(header::AUTHORIZATION);
            let signed =
                other.sign(signed.and_then(|value| value.to_str().ok()).unwrap_or_default());
            if let Ok(signed) = signed.parse() {
                request.headers_mut().insert(header::AUTHORIZATION, signed);
            }
        }
        match self.client.request(request).await {
            Ok(response) => response.map(Body::new),
            Err(cause) => {
                tracing::error!(%cause, "the table does not respond");
                AwsFault::internal_failure().into_response()
            }
        }
    }
}

async fn forward(Shared(proxy): Shared<Arc<Proxy>>, request: Request) -> Response {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
    let action = target.and_then(|target| target.split_once('.')).map(|(_, action)| action);
    let action = action.unwrap_or_default().to_owned();
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let verdict = proxy.calls.record(&parts.headers, "DynamoDB", &action, &body);
    match verdict {
        Verdict::Unanswered => return std::future::pending().await,
        Verdict::Reject => return AwsFault::internal_failure().into_response(),
        Verdict::RejectWith(code) => {
            return AwsFault::client_error(code, "simulated failure").into_response();
        }
        Verdict::Answer | Verdict::LoseAnswer => {}
    }
    let headers = parts.headers.clone();
    let metered = proxy.calls.are_metered().then(|| proxy.meter.before(&action, &body));
    let mut response = proxy.send(Request::from_parts(parts, body.into())).await;
    if let Some(metered) = metered {
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, MAX_BYTES).await.unwrap_or_default();
        proxy.calls.charge(&headers, proxy.meter.after(&metered, &body));
        response = Response::from_parts(parts, body.into());
    }
    if ["Put", "Update", "Delete", "Write", "Execute"].iter().any(|verb| action.contains(verb)) {
        proxy.written.notify_waiters();
    }
    if verdict == Verdict::LoseAnswer {
        AwsFault::internal_failure().into_response()
    } else {
        response
    }
}
