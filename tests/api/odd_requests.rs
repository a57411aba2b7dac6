//! Malformed requests, sent as raw bytes through the gateway. Each is answered with JSON.

use serde_json::Value;
use support::{App, Client};

/// Sends `GET target` with additional header lines.
async fn get(app: &App, target: &str, headers: &str) -> (u16, Value) {
    let (host, token) = (app.client.host(), &app.operator);
    let host =
        if headers.starts_with("host:") { String::new() } else { format!("host: {host}\r\n") };
    let request =
        format!("GET {target} HTTP/1.1\r\n{host}{headers}authorization: Bearer {token}\r\n\r\n");
    let (status, body) = app.client.raw(request.as_bytes()).await;
    (status, serde_json::from_str(&body).unwrap_or_default())
}

fn is_envelope(status: u16, body: &Value) -> bool {
    body["error"]["statusCode"] == status && body["error"]["message"].is_string()
}

/// Returns whether `text` contains only URI characters (RFC 3986 §2). The gateway refuses others.
fn is_uri_text(text: &str) -> bool {
    let is_letter =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/?[]".contains(&byte);
    text.bytes().all(is_letter)
}

#[tokio::test]
async fn odd_paths_are_not_found() {
    let app = App::start().await;
    let id = "019aad7e-5f6b-7a51-8c0d-3f2b1e9a4c60";
    let odd = [
        "%00",
        "%zz",
        "%",
        "%2",
        "%25",
        "%ff",
        "%C3",
        "%ED%A0%80",
        "%F4%90%80%80",
        "%09",
        "%0A",
        "%0D%0A",
        "%20",
        "%22",
        "%23",
        "%2F",
        "%3C%3E",
        "%3F",
        "%3Fx=1",
        "%5C",
        "%7C",
        "%7B%7D",
        "%E2%80%AE",
        ";",
        ";a=b",
        "*",
        "~",
        "'",
        "(",
        "@",
        ":",
        "[",
        "]",
        "|",
        "{id}",
        "^",
        "`",
        "ä",
        "\u{1f600}",
        "a%2Fb",
        "a%2F..%2Fb",
        "%252F",
        "%252e%252e",
        "%25252e",
        "...",
        "undefined",
        "null",
        "%E0%80%AF",
    ];
    for name in odd {
        for path in [
            format!("/tenants/{name}"),
            format!("/tenants/{id}/jobs/{name}"),
            format!("/assets/{name}"),
            format!("/{name}"),
            format!("/tenants/{name}/x"),
            format!("//tenants/{name}"),
        ] {
            let (status, body) = get(&app, &path, "").await;
            // The gateway refuses an invalid URI before routing.
            let is_refused = status == 400 && body == Value::Null && !is_uri_text(name);
            assert!(
                is_refused || status == 404 && is_envelope(status, &body),
                "{path}: {status} {body}"
            );
        }
    }
    for long in [1000, 8000] {
        let (status, body) =
            get(&app, &format!("/tenants/{}", "%C3%A4".repeat(long / 6)), "").await;
        assert!(status == 404 && is_envelope(status, &body), "{long}: {status} {body}");
    }
}

#[tokio::test]
async fn dots_and_slashes_do_not_reach_another_route() {
    let app = App::start().await;
    for path in [
        "/keys/../tenants/count",
        "/keys/%2e%2e/tenants/count",
        "/keys/..%2Fleads%2Fcount",
        "/keys/..%2fping",
        "/assets/../ping",
        "/assets/..%5Cping",
        "/assets/..\\ping",
        "/assets/.%2e/ping",
        "/keys/%252e%252e/leads",
        "/keys/%252e%252e%252fleads%252fcount",
        "/./ping",
        "/ping/.",
        "/ping/..",
        "/pi%09ng",
        "/ping%0A",
        "//ping",
        "/%2Fping",
        "/leads/%2e/count",
        "/..",
        "/tenants/x%2Fjobs",
    ] {
        let (status, body) = get(&app, path, "").await;
        assert_eq!(status, 404, "{path}: {body}");
        assert!(is_envelope(status, &body), "{path}: {body}");
    }
    for path in ["/leads%2Fcount", "/tenants%2fcount", "/leads%2F..%2Fping"] {
        let (status, body) = get(&app, path, "").await;
        assert!([404, 405].contains(&status) && is_envelope(status, &body), "{path}: {body}");
    }
    assert_eq!(get(&app, "/%70ing", "").await.0, 200, "an encoded letter is decoded");
}

#[tokio::test]
async fn odd_queries_are_answered_or_refused() {
    let app = App::start().await;
    for query in [
        "\"",
        "'",
        "<",
        ">",
        "\\",
        "^",
        "`",
        "{",
        "|",
        "}",
        "[",
        "]",
        "[[",
        "%",
        "%z",
        "%00",
        "%ff",
        "%ED%A0%80",
        "?",
        "??",
        "=",
        "&",
        "&&",
        "==",
        "+",
        ";",
        "a",
        "a=b=c",
        "a;b",
        "filter",
        "filter[",
        "filter[]",
        "filter=%22",
        "filter={\"where\":{\"name\":\"a\"}}",
        "filter=%00",
        "filter[where][name]=%ff",
        "cursor=%00",
        "limit=",
        "limit=%zz",
        "limit=1&limit=2",
        "ä",
        "\u{1f600}",
        "filter[where][name]=ä",
        "where[key][inq]=\t",
    ] {
        for path in ["/tenants", "/tenants/count", "/ping", "/nowhere", "/keys/acme"] {
            let target = format!("{path}?{query}");
            let (status, body) = get(&app, &target, "").await;
            let is_refused = status == 400 && body == Value::Null && !is_uri_text(query);
            let is_error = is_envelope(status, &body) && [400, 404].contains(&status);
            assert!(status == 200 || is_error || is_refused, "{target}: {status} {body}");
        }
    }
}

#[tokio::test]
async fn odd_headers_change_nothing() {
    let app = App::start().await;
    for line in [
        "host: a b\r\n",
        "host:\r\n",
        "host: /leads/count?\r\n",
        "host: x/..\r\n",
        "host: \"\r\n",
        "host: [::1\r\n",
        "host: 127.0.0.1:99999\r\n",
        "host: \u{e4}\r\n",
        "host: user@evil.test\r\n",
        "x-forwarded-proto: \"\r\n",
        "x-forwarded-proto: javascript\r\n",
        "x-forwarded-proto:\r\n",
        "x-forwarded-for: \"\r\n",
        "x-forwarded-host: a b\r\n",
        "x-twice: 1\r\nx-twice: 2\r\n",
        "cookie: \u{e4}=\"; ;;=\r\n",
        "cookie: a=1\r\ncookie: b=2\r\n",
        "content-type: \"\r\n",
        "x-amzn-trace-id: \u{e4}\r\n",
        "x-odd: \t\"\u{e4}\\\r\n",
    ] {
        for path in ["/ping", "/tenants/count"] {
            let (status, body) = get(&app, path, line).await;
            assert_eq!(status, 200, "{path} {line:?}: {body}");
        }
    }
}

#[tokio::test]
async fn a_foreign_host_name_reaches_only_the_api() {
    let app = App::start().await;
    let env = app.local().env();
    let aws = |name: &str| Client::new(env.required(name).unwrap());
    for (client, method, path) in [
        (app.client.clone(), "GET", "/_local"),
        (app.client.clone(), "GET", "/_local/mails.json"),
        (app.client.clone(), "GET", "/_local/mails/1"),
        (aws("AWS_ENDPOINT_URL_DYNAMODB"), "POST", "/"),
        (aws("AWS_ENDPOINT_URL_SECRETS_MANAGER"), "POST", "/"),
    ] {
        let here = client.host().to_owned();
        let port = here.rsplit(':').next().unwrap();
        let status = async |host: &str| {
            let host = if host.is_empty() { String::new() } else { format!("host: {host}\r\n") };
            let request = format!("{method} {path} HTTP/1.1\r\n{host}content-length: 0\r\n\r\n");
            client.raw(request.as_bytes()).await.0
        };
        for host in [
            &here,
            &format!("localhost:{port}"),
            &format!("LocalHost:{port}"),
            &format!("[::1]:{port}"),
            "localhost",
            "localhost:1",
        ] {
            assert_ne!(status(host).await, 421, "{path} {host}");
        }
        for host in [
            format!("evil.test:{port}"),
            format!("localhost.evil.test:{port}"),
            "".into(),
            format!("127.0.0.1.evil.test:{port}"),
            format!("localhost:{port}@evil.test"),
        ] {
            assert_eq!(status(&host).await, 421, "{path} {host}");
        }
    }
    assert_eq!(get(&app, "/ping", "host: evil.test\r\n").await.0, 200);
}
