use std::{collections::HashMap, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    serve::ListenerExt,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::RwLock};

use crate::lambda::Lambda;

/// An HTTP API that invokes functions with events of payload format 2.0.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gateway(Arc<RwLock<HashMap<String, Arc<Lambda>>>>);

impl Gateway {
    /// Starts to listen, without any functions. Returns the gateway and its URL.
    pub(crate) async fn start() -> (Self, String) {
        let gateway = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
        let router = Router::new().fallback(handle).with_state(gateway.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (gateway, url)
    }

    pub(crate) async fn add(&self, function: &str, lambda: Arc<Lambda>) {
        self.0.write().await.insert(function.to_owned(), lambda);
    }

    /// Removes all functions.
    pub(crate) fn clear(&self) {
        self.0.try_write().unwrap().clear();
    }
}

/// Returns the function that serves a path.
pub(crate) fn function_of(path: &str) -> &str {
    match path.split(['/', '?']).nth(1).unwrap_or_default() {
        "keys" => "leads",
        "auth" => "operators",
        "manage" => "idp",
        "catalog" => "plans",
        "overview" | "search" => "tenants",
        "tenants" if path.split('?').next().is_some_and(|path| path.ends_with("/audit")) => "audit",
        noun @ ("audit" | "contacts" | "invoices" | "leads" | "operators" | "plans"
        | "subscriptions" | "tenant-configs" | "tenants" | "webhook") => noun,
        _ => "home",
    }
}

async fn handle(State(gateway): State<Gateway>, request: Request) -> Response {
    let function = function_of(request.uri().path());
    let Some(lambda) = gateway.0.read().await.get(function).cloned() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    answer(&lambda.invoke(event(request).await).await)
}

pub(crate) async fn event(request: Request) -> Bytes {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let path = parts.uri.path();
    let headers = parts.headers.iter();
    let headers: serde_json::Map<_, _> = headers
        .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap().into()))
        .collect();
    let event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": parts.uri.query().unwrap_or_default(),
        "headers": headers,
        "requestContext": {
            "accountId": "000000000000", "apiId": "measured", "routeKey": "$default",
            "domainName": "127.0.0.1", "domainPrefix": "127", "stage": "$default",
            "requestId": "JKJaXmPLvHcESHA=", "time": "24/Nov/2026:15:00:00 +0000",
            "timeEpoch": lambda::now().millis(),
            "http": {
                "method": parts.method.as_str(), "path": path, "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1", "userAgent": "measure",
            },
        },
        "body": if body.is_empty() { Value::Null } else { String::from_utf8_lossy(&body).into() },
        "isBase64Encoded": false,
    });
    event.to_string().into()
}

fn answer(answer: &[u8]) -> Response {
    let answer: Value = serde_json::from_slice(answer).unwrap();
    let Some(status) = answer["statusCode"].as_u64() else {
        return (StatusCode::BAD_GATEWAY, answer.to_string()).into_response();
    };
    let mut response = Response::builder().status(u16::try_from(status).unwrap());
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        if name != header::CONTENT_LENGTH.as_str() {
            response = response.header(name, value.as_str().unwrap());
        }
    }
    let body = answer["body"].as_str().unwrap_or_default().to_owned();
    response.body(Body::from(body)).unwrap()
}
