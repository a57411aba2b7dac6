use axum::{
    Router,
    extract::Path,
    http::{Uri, header::SET_COOKIE},
    response::AppendHeaders,
    routing::{get, post},
};
use lambda_http::Context;
use proptest::prelude::*;
use serde_json::{Value, json, value::to_raw_value};

use super::HttpFunction;
use crate::{RawBody, finish};

/// Creates a function whose answers name the route and the request.
fn function() -> HttpFunction {
    let said = |route: &'static str| {
        async move |uri: Uri| {
            format!("{route} {}", uri.path_and_query().map_or("", |it| it.as_str()))
        }
    };
    let routes = Router::new()
        .route("/", get(said("root")))
        .route("/ping", get(said("ping")))
        .route("/leads/count", get(said("count")))
        .route("/leads/{id}", get(async |Path(id): Path<String>| format!("lead {id}")))
        .route("/leads/{id}/verify", get(said("verify")))
        .route("/keys/{key}", get(async |Path(key): Path<String>| format!("key {key}")))
        .route("/assets/{file}", get(async |Path(file): Path<String>| format!("asset {file}")))
        .route("/body", post(async |RawBody(body): RawBody| format!("{body:?}")))
        .route(
            "/headers",
            get(async || {
                let pairs = [("vary", "origin"), ("vary", "accept"), ("link", "a")];
                (AppendHeaders(pairs), AppendHeaders([(SET_COOKIE, "a=1"), (SET_COOKIE, "b=2")]))
            }),
        )
        .route("/panic", get(panics));
    HttpFunction::new(finish(routes))
}

async fn panics() -> String {
    panic!("a handler that panics")
}

fn event(method: &str, path: &str) -> Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
        "headers": { "host": "api.test", "x-forwarded-proto": "https" },
        "requestContext": {
            "stage": "$default", "requestId": "request-1", "domainName": "api.test",
            "http": { "method": method, "path": path, "sourceIp": "192.0.2.1" },
        },
        "isBase64Encoded": false,
    })
}

/// Returns the answer as sent to the Runtime API. Checks that errors are envelopes.
async fn answer(event: &Value) -> Value {
    let answer = function().answer(&to_raw_value(event).unwrap(), Context::default()).await;
    let answer = serde_json::to_value(answer).unwrap();
    let status = answer["statusCode"].as_u64().unwrap();
    if status >= 400 {
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        assert_eq!(body["error"]["statusCode"], status, "{body}");
        assert!(body["error"]["name"].is_string() && body["error"]["message"].is_string());
    }
    answer
}

async fn asked(event: &Value) -> (u64, String) {
    let answer = answer(event).await;
    let status = answer["statusCode"].as_u64().unwrap();
    (status, answer["body"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_path_reaches_its_own_route_or_none() {
    let served = [
        ("/ping", "ping /ping"),
        ("/keys/a b", "key a b"),
        ("/keys/a\tb", "key a\tb"),
        ("/keys/\u{0}", "key \u{0}"),
        ("/keys/%00", "key \u{0}"),
        ("/keys/?x=1", "key ?x=1"),
        ("/keys/a#b", "key a#b"),
        ("/keys/\"<>\\^`{|}[]", "key \"<>\\^`{|}[]"),
        ("/keys/%", "key %"),
        ("/keys/%zz", "key %zz"),
        ("/keys/%2", "key %2"),
        ("/keys/%C3%A4", "key ä"),
        ("/keys/ä€😀", "key ä€😀"),
        ("/keys/\u{fffd}", "key \u{fffd}"),
        ("/keys/\u{202e}\u{feff}", "key \u{202e}\u{feff}"),
        ("/keys/a;b=c", "key a;b=c"),
        ("/keys/...", "key ..."),
        ("/keys/%252e%252e", "key %2e%2e"),
        ("/keys/a%2Fb", "key a/b"),
        ("/keys/-", "key -"),
        ("/keys/\u{7f}\u{85}", "key \u{7f}\u{85}"),
        ("/keys/http://evil.test", ""),
        ("", "root /"),
        ("ping", "ping /ping"),
    ];
    for (path, expected) in served {
        let (status, body) = asked(&event("GET", path)).await;
        if expected.is_empty() {
            assert_eq!(status, 404, "{path:?}: {body}");
        } else {
            assert_eq!((status, body.as_str()), (200, expected), "{path:?}");
        }
    }
}

#[tokio::test]
async fn dot_segments_never_reach_another_route() {
    let paths = [
        "/keys/../leads/count",
        "/assets/../ping",
        "/assets/..\\ping",
        "/assets\\..\\ping",
        "/./ping",
        "/ping/.",
        "/ping/..",
        "/..",
        "/.",
        "..",
        "/%2e%2e/ping",
        "/keys/%2E./leads/count",
        "/keys/.%2e/leads/count",
        "/keys/..%5c..%5cping/../x",
        "/keys/.\t./leads/count",
        "/keys/..\n/leads/count",
        "/keys/%2e%2e",
        "//../ping",
        "/keys/ .. /leads/count",
        "/keys/%2e%09%2e/leads/count",
    ];
    for path in paths {
        let (status, body) = asked(&event("GET", path)).await;
        assert_eq!(status, 404, "{path:?}: {body}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["error"]["message"], format!("Endpoint \"{path}\" not found."));
    }
    for path in ["//ping", "/ping/", "/pi\tng", "/ping\n", " /ping", "/ping%20", "/PING", "/ping;x"]
    {
        assert_eq!(asked(&event("GET", path)).await.0, 404, "{path:?}");
    }
}

#[tokio::test]
async fn a_decoded_path_must_match_the_route_of_the_gateway() {
    let with_key = |key: &str, path: &str| {
        let mut event = event("GET", path);
        event["routeKey"] = key.into();
        event
    };
    let (status, body) = asked(&with_key("GET /leads/{id}", "/leads/7")).await;
    assert_eq!((status, body.as_str()), (200, "lead 7"));
    for (key, path) in [
        ("GET /leads/{id}", "/leads/7/verify"),
        ("GET /keys/{key}", "/leads/7"),
        ("GET /keys/{key}", "/leads/count"),
        ("GET /leads", "/leads/count"),
    ] {
        assert_eq!(asked(&with_key(key, path)).await.0, 404, "{key} {path}");
    }
    assert_eq!(asked(&with_key("odd", "/ping")).await.0, 200);
}

#[tokio::test]
async fn a_query_arrives_unchanged() {
    let queries = [
        ("a=1&b=2", "a=1&b=2"),
        ("filter={\"where\":{}}", "filter=%7B%22where%22:%7B%7D%7D"),
        ("filter[where][name]=a", "filter[where][name]=a"),
        ("a=b c<d>e#f", "a=b%20c%3Cd%3Ee%23f"),
        ("a=%zz&b=%&c=%4", "a=%25zz&b=%25&c=%254"),
        ("a=%41+b?c/d", "a=%41+b?c/d"),
        ("a=ä\u{0}\t\r\n\\|^`", "a=%C3%A4%00%09%0D%0A%5C%7C%5E%60"),
        ("?", "?"),
    ];
    for (query, expected) in queries {
        let mut event = event("GET", "/ping");
        event["rawQueryString"] = query.into();
        let (status, body) = asked(&event).await;
        assert_eq!((status, body.as_str()), (200, format!("ping /ping?{expected}").as_str()));
    }
}

#[tokio::test]
async fn path_and_query_are_limited() {
    let query = |bytes: usize| format!("a={}", "ä".repeat((bytes - 2) / 2));
    let path = |bytes: usize| format!("/keys/{}", "\"".repeat(bytes - 6));
    let with_cursor = |bytes: usize| format!("cursor={}&{}", "c".repeat(500), query(bytes));
    let long_cursor = format!("cursor={}", "c".repeat(70_000));
    let none = String::new;
    for (path, query, refused) in [
        ("/ping".into(), query(8192), None),
        ("/ping".into(), query(8194), Some("query string")),
        ("/ping".into(), with_cursor(8192), None),
        ("/ping".into(), with_cursor(8194), Some("query string")),
        ("/ping".into(), long_cursor, Some("query string")),
        (path(8192), none(), None),
        (path(8193), none(), Some("path")),
        (path(70_000), query(70_000), Some("path")),
        (path(8192), query(8192), None),
    ] {
        let mut event = event("GET", &path);
        event["rawQueryString"] = query.into();
        let (status, body) = asked(&event).await;
        let Some(part) = refused else {
            assert_eq!(status, 200, "{body}");
            continue;
        };
        let body: Value = serde_json::from_str(&body).unwrap();
        let message = format!("The {part} must not be longer than 8192 bytes.");
        assert_eq!(body["error"]["message"], message);
        assert_eq!((status, &body["error"]["code"]), (400, &json!("INVALID_PARAMETER_VALUE")));
    }
}

#[tokio::test]
async fn invalid_hosts_and_schemes_are_ignored() {
    let hosts = [
        "",
        " ",
        "a b",
        "x/leads/count?",
        "x/..",
        "x#",
        "x?",
        "x\\y",
        "user@x",
        "x:99999",
        "x:y",
        "[",
        "[::1",
        "256.256.256.256",
        "xn--",
        "%",
        "ä",
        "\"",
        "\t",
        ":",
        ":80",
        "..",
        "x,y",
        "/ping",
        "//",
    ];
    let schemes =
        ["", "\"", "https,http", "file", "javascript", "a b", "http://x/leads/count?", "ä"];
    for name in ["host", "x-forwarded-proto"] {
        for value in hosts.iter().chain(&schemes) {
            let mut odd = event("GET", "/ping");
            odd["headers"][name] = (*value).into();
            odd["requestContext"]["domainName"] = (*value).into();
            let (status, body) = asked(&odd).await;
            assert_eq!((status, body.as_str()), (200, "ping /ping"), "{name}: {value:?}");
        }
    }
    let mut none = event("GET", "/ping");
    none["headers"] = json!({});
    none["requestContext"]["domainName"] = Value::Null;
    none["requestContext"]["stage"] = "../leads".into();
    assert_eq!(asked(&none).await, (200, "ping /ping".into()));
}

#[tokio::test]
async fn malformed_events_are_refused() {
    let events = [
        "{}",
        "null",
        "[]",
        "\"\"",
        "1",
        r#"{"rawPath":"/ping"}"#,
        r#"{"rawPath":"/\ud800","requestContext":{"http":{"method":"GET"}}}"#,
        r#"{"rawPath":7,"requestContext":{"http":{"method":"GET"}}}"#,
        r#"{"rawPath":"/ping","headers":{"a b":"c"},"requestContext":{"http":{"method":"GET"}}}"#,
        r#"{"rawPath":"/ping","headers":{"a":"\n"},"requestContext":{"http":{"method":"GET"}}}"#,
        r#"{"rawPath":"/ping","requestContext":{"http":{"method":"G E T"}}}"#,
    ];
    for event in events {
        let event = serde_json::value::RawValue::from_string(event.to_owned()).unwrap();
        let answer = function().answer(&event, Context::default()).await;
        assert_eq!(serde_json::to_value(answer).unwrap()["statusCode"], 400, "{event}");
    }
}

#[tokio::test]
async fn bodies_are_decoded_or_refused() {
    let with_body = |body: &str, is_base64: bool| {
        let mut event = event("POST", "/body");
        event["body"] = body.into();
        event["isBase64Encoded"] = is_base64.into();
        event
    };
    assert_eq!(asked(&with_body("ä", false)).await, (200, "[195, 164]".into()));
    assert_eq!(asked(&with_body("/wA=", true)).await, (200, "[255, 0]".into()));
    assert_eq!(asked(&with_body("", true)).await, (200, "[]".into()));
    for body in ["/wA", "ä", "{}", "/w A="] {
        assert_eq!(asked(&with_body(body, true)).await.0, 400, "{body}");
    }
}

#[tokio::test]
async fn a_panic_is_an_internal_error_with_the_request_id() {
    let answer = answer(&event("GET", "/panic")).await;
    assert_eq!(answer["statusCode"], 500);
    assert_eq!(answer["headers"]["x-request-id"], "request-1");
}

#[tokio::test]
async fn repeated_headers_are_joined() {
    let answer = answer(&event("GET", "/headers")).await;
    assert_eq!(answer["headers"]["vary"], "origin, accept");
    assert_eq!(answer["headers"]["link"], "a");
    assert_eq!(answer["cookies"], json!(["a=1", "b=2"]));
}

/// Generates text that a component between client and route treats specially.
fn odd() -> impl Strategy<Value = String> {
    let special = prop::sample::select(vec![
        "/", "//", "\\", ".", "..", "%", "%2e", "%2f", "%5c", "%00", "%zz", "%25", "?", "#", "\"",
        "<", " ", "\t", "\n", "\r", "\u{0}", "\u{7f}", "ä", "\u{2028}", "😀", "@", ":", ":80", "[",
        "]", "{", "|", ";", "&", "=", "+", "*", "~", "http://", "ping", "leads", "count", "keys",
        "x",
    ]);
    prop_oneof![
        3 => prop::collection::vec(special, 0..12).prop_map(|parts| parts.concat()),
        1 => any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn every_event_has_an_answer(
        path in odd(), query in odd(), host in odd(), scheme in odd(), domain in odd(), stage in odd(),
        body in odd(), cookie in odd(), key in odd(), is_base64: bool, method in "[A-Z]{0,7}",
    ) {
        let mut event = event(&method, &format!("/{path}"));
        event["rawQueryString"] = query.into();
        event["headers"] = json!({ "host": host, "x-forwarded-proto": scheme, "x": cookie });
        event["cookies"] = json!([cookie]);
        event["requestContext"]["domainName"] = domain.into();
        event["requestContext"]["stage"] = stage.into();
        event["requestContext"]["requestId"] = key.clone().into();
        event["body"] = body.into();
        event["isBase64Encoded"] = is_base64.into();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (status, said) = runtime.block_on(asked(&event));
        prop_assert!(status < 500, "{status}: {said}");
        let of_its_own = said.starts_with("ping /ping") && path == "ping";
        prop_assert!(!said.starts_with("ping ") || of_its_own, "{path:?} reached {said}");
    }
}
