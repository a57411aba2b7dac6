//! The HTTP API, as API Gateway would route it: the template's routes, each to its function.

mod cors;
mod route;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request, State as Shared},
    http::{HeaderMap, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use lambda_http::{
    aws_lambda_events::apigw::ApiGatewayV2httpRequestContext, request::RequestContext,
};
use serde_json::json;
use tower::ServiceExt;

use crate::{
    functions::Functions,
    template::{Cors, Route, Template},
};
use route::Routes;

/// Bytes of a request's body (API Gateway's limit).
const MOST_BYTES: usize = 10 << 20;

/// API Gateway waits no longer for a function.
const LONGEST: Duration = Duration::from_secs(30);

/// The gateway.
#[derive(Debug)]
pub(crate) struct Gateway {
    routes: Routes,
    cors: Option<Cors>,
    functions: Arc<Functions>,
    host: String,
}

impl Gateway {
    pub(crate) fn new(template: &Template, functions: Arc<Functions>, host: String) -> Self {
        let served = |route: &&Route| functions.router(&route.function).is_some();
        let routes = Routes::new(template.routes().filter(served));
        Self { routes, cors: template.cors.clone(), functions, host }
    }

    pub(crate) fn router(self: Arc<Self>) -> Router {
        Router::new().fallback(handle).with_state(self)
    }

    async fn route(&self, request: Request, peer: IpAddr) -> Response {
        let found = self.routes.of(request.method().as_str(), request.uri().path());
        let Some((route, (router, timeout))) =
            found.and_then(|route| Some((route, self.functions.router(&route.function)?)))
        else {
            return message(StatusCode::NOT_FOUND, "Not Found");
        };
        let (mut parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, MOST_BYTES).await else {
            return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        };
        let context = self.context(route, &parts, peer);
        forwarded(&mut parts.headers, peer);
        parts.extensions.insert(RequestContext::ApiGatewayV2(context));
        let request = Request::from_parts(parts, Body::from(body));
        // A task of its own: a panic ends the request alone.
        let mut running = tokio::spawn(router.oneshot(request));
        match tokio::time::timeout(timeout.min(LONGEST), &mut running).await {
            Ok(Ok(Ok(response))) => response,
            Ok(ended) => {
                let cause = ended.err().map(|cause| cause.to_string());
                tracing::error!(function = route.function, cause, "a function failed");
                message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }
            Err(_) => {
                running.abort();
                message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
            }
        }
    }

    fn context(
        &self,
        route: &Route,
        parts: &axum::http::request::Parts,
        peer: IpAddr,
    ) -> ApiGatewayV2httpRequestContext {
        let agent = parts.headers.get("user-agent").and_then(|agent| agent.to_str().ok());
        let path = Some(parts.uri.path().to_owned());
        let key = match route.path.as_str() {
            "$default" => "$default".to_owned(),
            path => format!("{} {path}", route.method),
        };
        let mut context = ApiGatewayV2httpRequestContext::default();
        context.route_key = Some(key);
        context.account_id = Some("000000000000".into());
        context.stage = Some("$default".into());
        context.request_id = Some(uuid::Uuid::new_v4().to_string());
        context.apiid = Some("local".into());
        context.domain_name = Some(self.host.clone());
        context.domain_prefix = Some("local".into());
        context.time_epoch = shared::now().millis();
        context.http.method = parts.method.clone();
        context.http.path = path;
        context.http.protocol = Some("HTTP/1.1".into());
        context.http.source_ip = Some(peer.to_string());
        context.http.user_agent = agent.map(str::to_owned);
        context
    }
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
        cors.dress(&headers, response.headers_mut());
    }
    response
}

/// Says where the request came from, after what the client claims.
fn forwarded(headers: &mut HeaderMap, peer: IpAddr) {
    let claimed = headers.get("x-forwarded-for").and_then(|claimed| claimed.to_str().ok());
    let from = match claimed {
        Some(claimed) => format!("{claimed}, {peer}"),
        None => peer.to_string(),
    };
    if let Ok(from) = HeaderValue::from_str(&from) {
        headers.insert("x-forwarded-for", from);
    }
    headers.insert("x-forwarded-proto", HeaderValue::from_static("http"));
}

/// An answer of API Gateway itself.
fn message(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(json!({ "message": message }))).into_response()
}
