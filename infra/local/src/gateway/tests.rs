use std::{net::Ipv4Addr, sync::LazyLock};

use axum::{
    body::Body,
    extract::connect_info::MockConnectInfo,
    http::{Method, header},
    routing::{get, post},
};
use lambda_http::Context;
use serde_json::{Value, json, value::to_raw_value};
use tower::ServiceExt;
use web::{HttpFunction, finish};

use super::*;

static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
    let route = |method: &str, path: &str| Route {
        method: method.into(),
        path: path.into(),
        function: "tested".into(),
    };
    vec![route("ANY", "$default"), route("POST", "/length"), route("GET", "/items/{id}")]
});

/// Creates a gateway with one function.
fn gateway(function: Router) -> Router {
    within(function, MAX_TIME, MAX_TIME)
}

/// Creates a gateway that waits up to `longest` for a function with the time limit `timeout`.
fn within(function: Router, timeout: Duration, longest: Duration) -> Router {
    let functions = Arc::new(Functions::of("tested", finish(function), timeout));
    let (routes, host) = (Routes::new(ROUTES.iter()), "127.0.0.1:3000".to_owned());
    let gateway = Gateway { routes, cors: None, functions, host, longest };
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000));
    Arc::new(gateway).router().layer(MockConnectInfo(peer))
}

fn length() -> Router {
    Router::new()
        .route("/length", post(async |body: axum::body::Bytes| body.len().to_string()))
        .layer(axum::extract::DefaultBodyLimit::disable())
}

async fn ask(gateway: Router, request: Request) -> (u16, String) {
    let response = gateway.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8_lossy(&body).into_owned())
}

fn posted(kind: &str, bytes: usize) -> Request {
    let request = Request::post("/length").header(header::CONTENT_TYPE, kind);
    request.body(Body::from("x".repeat(bytes))).unwrap()
}

fn said(status: u16, message: &str) -> (u16, String) {
    (status, json!({ "message": message }).to_string())
}

/// Returns the size of the event of a request, in bytes.
fn size(request: Request, body: &[u8]) -> usize {
    let (parts, _) = request.into_parts();
    let event = Event::new(&ROUTES[1], "127.0.0.1:3000", &parts, Ipv4Addr::LOCALHOST.into(), body);
    to_raw_value(&event).unwrap().get().len()
}

#[tokio::test]
async fn events_are_limited_to_6_mb() {
    for (kind, bytes_of_four) in [("text/plain", 4), ("application/octet-stream", 3)] {
        let around = size(posted(kind, 4), b"xxx") - 4 + usize::from(kind == "text/plain");
        let most = (6 * 1024 * 1024 - around) / 4 * bytes_of_four;
        let fits = ask(gateway(length()), posted(kind, most)).await;
        assert_eq!(fits, (200, most.to_string()), "{kind}");
        let larger = ask(gateway(length()), posted(kind, most + 4)).await;
        assert_eq!(larger, said(413, "Request Entity Too Large"), "{kind}");
    }
    let quotes = Request::post("/length").header(header::CONTENT_TYPE, "application/json");
    let quotes = quotes.body(Body::from("\"".repeat(4 << 20))).unwrap();
    let escaped = ask(gateway(length()), quotes).await;
    assert_eq!(escaped, said(413, "Request Entity Too Large"));
    let large = ask(gateway(length()), posted("text/plain", (10 << 20) + 1)).await;
    assert_eq!(large, said(413, "Request Entity Too Large"));
}

#[tokio::test]
async fn answers_are_limited_to_6_mb_and_100_bytes() {
    for (kind, bytes_of_four) in [("application/json", 4), ("application/pdf", 3)] {
        let function = |bytes: usize| {
            let answer = move || async move { ([(header::CONTENT_TYPE, kind)], "x".repeat(bytes)) };
            Router::new().route("/", get(answer))
        };
        let event = json!({ "rawPath": "/", "requestContext": { "http": { "method": "GET" },
            "requestId": uuid::Uuid::nil() } });
        // Its `content-length` has as many digits as that of the largest answer.
        let some = 500_000 * bytes_of_four;
        let answer = HttpFunction::new(finish(function(some)));
        let answer = answer.answer(&to_raw_value(&event).unwrap(), Context::default()).await;
        let around = serde_json::to_vec(&answer).unwrap().len() - 500_000 * 4;
        let most = (6_291_556 - around) / 4 * bytes_of_four;
        let root = || Request::get("/").body(Body::empty()).unwrap();
        let (status, body) = ask(gateway(function(most)), root()).await;
        assert_eq!((status, body.len()), (200, most), "{kind}");
        let larger = ask(gateway(function(most + 5)), root()).await;
        assert_eq!(larger, said(500, "Internal Server Error"), "{kind}");
    }
}

#[tokio::test]
async fn request_line_and_header_values_are_limited_to_10_240_bytes() {
    let function = || Router::new().route("/", get(async || "here"));
    let line = "GET /? HTTP/1.1".len();
    let with = |query: usize, value: usize| {
        let request = Request::get(format!("/?{}", "q".repeat(query)));
        request.header("x-long", "v".repeat(value)).body(Body::empty()).unwrap()
    };
    let refused = said(431, "Request Header Fields Too Large");
    for (query, value) in [(0, 10_240 - line), (8000, 2240 - line), (8192, 2048 - line)] {
        let fits = ask(gateway(function()), with(query, value)).await;
        assert_eq!(fits, (200, "here".into()));
        let longer = ask(gateway(function()), with(query, value + 1)).await;
        assert_eq!(longer, refused);
    }
    assert_eq!(ask(gateway(function()), with(20_000, 0)).await, refused);
}

#[tokio::test]
async fn slow_functions_time_out_in_the_function_or_in_the_gateway() {
    let function = || Router::new().route("/", get(std::future::pending::<()>));
    let root = || Request::get("/").body(Body::empty()).unwrap();
    let soon = Duration::from_millis(50);
    let failed = ask(within(function(), soon, MAX_TIME), root()).await;
    assert_eq!(failed, said(500, "Internal Server Error"));
    let left = ask(within(function(), MAX_TIME, soon), root()).await;
    assert_eq!(left, said(503, "Service Unavailable"));
}

#[test]
fn events_have_payload_format_2() {
    let request =
        Request::builder().method(Method::GET).uri("/items/a%2Fb%3F%20%C3%A4?x=1&x=%20&y");
    let request = request
        .header("Host", "127.0.0.1:3000")
        .header("X-Twice", "a")
        .header("x-twice", "b")
        .header("cookie", "a=1; b=2")
        .header("x-forwarded-for", "192.0.2.1")
        .header("x-forwarded-proto", "\"")
        .header("user-agent", "test");
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let peer = Ipv4Addr::LOCALHOST.into();
    let of = |body: &'static [u8]| {
        let event = Event::new(&ROUTES[2], "127.0.0.1:3000", &parts, peer, body);
        serde_json::to_value(event).unwrap()
    };
    let mut event = of(b"");
    for generated in ["requestId", "timeEpoch"] {
        assert!(event["requestContext"].as_object_mut().unwrap().remove(generated).is_some());
    }
    let expected: Value = json!({
        "version": "2.0",
        "routeKey": "GET /items/{id}",
        "rawPath": "/items/a/b? ä",
        "rawQueryString": "x=1&x=%20&y",
        "cookies": ["a=1", "b=2"],
        "headers": {
            "host": "127.0.0.1:3000", "user-agent": "test", "x-twice": "a,b",
            "x-forwarded-for": "192.0.2.1, 127.0.0.1", "x-forwarded-proto": "http",
        },
        "queryStringParameters": { "x": "1, ", "y": "" },
        "pathParameters": { "id": "a/b? ä" },
        "requestContext": {
            "accountId": "000000000000", "apiId": "local", "domainName": "127.0.0.1:3000",
            "domainPrefix": "local", "routeKey": "GET /items/{id}", "stage": "$default",
            "http": {
                "method": "GET", "path": "/items/a/b? ä", "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1", "userAgent": "test",
            },
        },
        "isBase64Encoded": false,
    });
    assert_eq!(event, expected);
    let event = of(b"\xff");
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("/w=="), &json!(true)));
}

#[tokio::test]
async fn the_domain_name_is_the_requested_name_of_this_machine() {
    let named = async |host: &str| {
        let function = Router::new().route("/", get(domain));
        let request = Request::get("/").header(header::HOST, host).body(Body::empty()).unwrap();
        ask(gateway(function), request).await
    };
    assert_eq!(named("localhost:8080").await, (200, "localhost:8080".into()));
    assert_eq!(named("evil.test").await, (200, "127.0.0.1:3000".into()));
}

async fn domain(request: Request) -> String {
    use lambda_http::{RequestExt, request::RequestContext};

    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => {
            context.domain_name.clone().unwrap_or_default()
        }
        _ => String::new(),
    }
}
