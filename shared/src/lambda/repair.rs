//! Repairs of an event, so that nothing in it can fail or mislead `lambda_http`.

use base64::{Engine, engine::general_purpose::STANDARD};
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::Url;

use super::route;
use crate::http::{PATH_LIMIT, QUERY_LIMIT, Refusal};

/// What is encoded in a path: all but `pchar` and `/` (RFC 3986 §3.3). A `%` is looked at apart.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@')
    .remove(b'/');

/// What is encoded in a query: all but `pchar`, `/` and `?` (RFC 3986 §3.4). Brackets stay, since
/// filters are written with them.
const QUERY: &AsciiSet = &PATH.remove(b'?').remove(b'[').remove(b']');

/// Repairs an event, and says why it cannot be served all the same.
pub(super) fn event(
    mut event: ApiGatewayV2httpRequest,
) -> (ApiGatewayV2httpRequest, Option<Refusal>) {
    let asked = event.raw_path.take().unwrap_or_default();
    let path = encoded(asked.trim_start_matches('/'), PATH);
    let slashes = asked.len() - asked.trim_start_matches('/').len();
    let path = "/".repeat(slashes.max(1)) + &path;
    let refusal = if asked.len() > PATH_LIMIT {
        Some(Refusal::LongPath)
    } else if event.raw_query_string.as_deref().is_some_and(is_long) {
        Some(Refusal::LongQuery)
    } else if has_dots(&asked) || !is_of_route(&event, &path) {
        Some(Refusal::NoRoute(asked))
    } else if event.is_base64_encoded && !is_base64(event.body.as_deref()) {
        Some(Refusal::Malformed)
    } else {
        None
    };
    let query = event.raw_query_string.take().map(|query| encoded(&query, QUERY));
    if refusal.is_some() {
        event.body = None;
        event.raw_path = Some("/".into());
    } else {
        event.raw_path = Some(path);
        event.raw_query_string = query;
    }
    // Our stage is `$default`, which is no part of a path.
    event.request_context.stage = None;
    authority(&mut event);
    (event, refusal)
}

/// Drops a host and a scheme that no URL can have.
fn authority(event: &mut ApiGatewayV2httpRequest) {
    let host = event.headers.get("host").map(|host| host.to_str().is_ok_and(is_host));
    if host == Some(false) {
        event.headers.remove("host");
    }
    let scheme = event.headers.get("x-forwarded-proto");
    if scheme.is_some_and(|scheme| scheme != "http" && scheme != "https") {
        event.headers.remove("x-forwarded-proto");
    }
    event.request_context.domain_name.take_if(|domain| !is_host(domain));
}

/// Whether `host` is a host with or without a port, and nothing else of a URL.
fn is_host(host: &str) -> bool {
    let is_letter = |letter: u8| letter.is_ascii_alphanumeric() || b"-._:[]".contains(&letter);
    !host.is_empty()
        && host.bytes().all(is_letter)
        && Url::parse(&format!("http://{host}/")).is_ok_and(|url| url.path() == "/")
        && host.parse::<axum::http::uri::Authority>().is_ok()
}

/// Whether a query is too long, without its cursor, which our own links add. With it, the query must
/// fit into a URI: 65,534 bytes in the `http` crate, after encoding.
fn is_long(query: &str) -> bool {
    let pairs = query.split('&').filter(|pair| !pair.starts_with("cursor="));
    let asked = pairs.map(|pair| pair.len() + 1).sum::<usize>().saturating_sub(1);
    asked > QUERY_LIMIT || query.len() > 2 * QUERY_LIMIT
}

/// Whether a segment of a path is `.` or `..`, encoded or not: a URL parser resolves those, and drops
/// tabs and line breaks from a path (URL Standard, "basic URL parser").
fn has_dots(path: &str) -> bool {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    let decoded = decoded.replace(['\t', '\n', '\r'], "");
    decoded.split(['/', '\\']).any(|segment| matches!(segment.trim(), "." | ".."))
}

/// Whether the path is one of the route that the HTTP API took, and not of another one since it was
/// decoded.
fn is_of_route(event: &ApiGatewayV2httpRequest, path: &str) -> bool {
    let key = event.route_key.as_deref().and_then(|key| key.split_once(' '));
    key.is_none_or(|(_, pattern)| route::fits(pattern, path))
}

fn is_base64(body: Option<&str>) -> bool {
    body.is_none_or(|body| STANDARD.decode(body).is_ok())
}

/// Percent-encodes what is in `set`, and every `%` that begins no encoded byte.
fn encoded(text: &str, set: &'static AsciiSet) -> String {
    let mut parts = text.split('%');
    let first = parts.next().unwrap_or_default();
    let mut encoded: String = utf8_percent_encode(first, set).collect();
    for part in parts {
        let digits = part.as_bytes().get(..2);
        let is_byte = digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        encoded.push_str(if is_byte { "%" } else { "%25" });
        encoded.extend(utf8_percent_encode(part, set));
    }
    encoded
}
