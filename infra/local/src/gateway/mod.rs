//! The HTTP API: sends requests to functions by the template's routes, as API Gateway does.

mod answer;
mod cors;
mod event;
mod route;
#[cfg(test)]
mod tests;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::to_bytes,
    extract::{ConnectInfo, Request, State as Shared},
    http::{HeaderValue, StatusCode, header::HOST, request::Parts},
    response::Response,
};

use crate::{
    functions::{Failure, Functions},
    host::is_here,
    template::{Cors, Route, Template},
};
use answer::message;
pub(crate) use event::Event;
pub(crate) use route::Routes;

/// Maximum size of a request body, in bytes. Source of this and the next two limits:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>.
const MAX_BYTES: usize = 10 << 20;

/// Maximum size of the request line and all header values together, in bytes.
const MAX_HEAD: usize = 10_240;

/// Maximum time that the HTTP API waits for a function.
const MAX_TIME: Duration = Duration::from_secs(30);

/// The simulated HTTP API.
#[derive(Debug)]
pub(crate) struct Gateway {
    routes: Routes,
    cors: Option<Cors>,
    functions: Arc<Functions>,
    host: String,
    longest: Duration,
}

impl Gateway {
    pub(crate) fn new(template: &Template, functions: Arc<Functions>, host: String) -> Self {
        let served = |route: &&Route| functions.serves_http(&route.function);
        let routes = Routes::new(template.routes().filter(served));
        Self { routes, cors: template.cors.clone(), functions, host, longest: MAX_TIME }
    }

    pub(crate) fn router(self: Arc<Self>) -> Router {
        Router::new().fallback(handle).with_state(self)
    }

    async fn route(&self, request: Request, peer: IpAddr) -> Response {
        let (parts, body) = request.into_parts();
        if head(&parts) > MAX_HEAD {
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            return message(status, "Request Header Fields Too Large");
        }
        let Some(route) = self.routes.of(parts.method.as_str(), parts.uri.path()) else {
            return message(StatusCode::NOT_FOUND, "Not Found");
        };
        let Ok(body) = to_bytes(body, MAX_BYTES).await else { return too_large() };
        let event = Event::new(route, self.domain(&parts), &parts, peer, &body);
        let Ok(event) = serde_json::value::to_raw_value(&event) else { return failed() };
        let answer = self.functions.request(&route.function, event);
        match tokio::time::timeout(self.longest, answer).await {
            Ok(Ok(answer)) => answer::response(&answer).unwrap_or_else(failed),
            Ok(Err(Failure::TooLarge { .. })) => too_large(),
            Ok(Err(Failure::Function(cause))) => {
                tracing::error!(function = route.function, cause, "a function failed");
                failed()
            }
            Err(_) => message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        }
    }

    /// Returns the domain name of a request: the requested name of this machine.
    fn domain<'a>(&'a self, parts: &'a Parts) -> &'a str {
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        host.filter(|host| is_here(host)).unwrap_or(&self.host)
    }
}

/// Returns the size of the request line and all header values, in bytes.
fn head(parts: &Parts) -> usize {
    let target = parts.uri.path_and_query().map_or(1, |target| target.as_str().len());
    let line = parts.method.as_str().len() + target + " ".len() + " HTTP/1.1".len();
    line + parts.headers.values().map(HeaderValue::len).sum::<usize>()
}

/// Returns the answer to a failure of a function. HTTP APIs always answer 500, unlike REST APIs:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html>.
fn failed() -> Response {
    message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
}

fn too_large() -> Response {
    message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
}

async fn handle(
    Shared(gateway): Shared<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    let preflight =
        gateway.cors.as_ref().and_then(|cors| cors.preflight(request.method(), &headers));
    if let Some(answer) = preflight {
        return answer;
    }
    let mut response = gateway.route(request, peer.ip()).await;
    if let Some(cors) = &gateway.cors {
        cors.add_headers(&headers, response.headers_mut());
    }
    response
}
