//! Repairs of an event, so that nothing in it can crash or mislead `lambda_http`.

use base64::{Engine, engine::general_purpose::STANDARD};
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::Url;

use super::route_matches;
use crate::{PATH_LIMIT, QUERY_LIMIT, Refusal};

/// Characters to encode in a path: all but `pchar` and `/` (RFC 3986 §3.3). `%` is handled
/// separately.
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

/// Characters to encode in a query: all but `pchar`, `/` and `?` (RFC 3986 §3.4). Brackets are
/// kept, because filters use them.
const QUERY: &AsciiSet = &PATH.remove(b'?').remove(b'[').remove(b']');

/// Repairs an event. Returns a refusal if it cannot be served.
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
    // The stage is `$default`, which is not part of a path.
    event.request_context.stage = None;
    authority(&mut event);
    (event, refusal)
}

/// Removes an invalid host or scheme.
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

/// Whether `host` is only a host with an optional port.
fn is_host(host: &str) -> bool {
    let is_letter = |letter: u8| letter.is_ascii_alphanumeric() || b"-._:[]".contains(&letter);
    !host.is_empty()
        && host.bytes().all(is_letter)
        && Url::parse(&format!("http://{host}/")).is_ok_and(|url| url.path() == "/")
        && host.parse::<axum::http::uri::Authority>().is_ok()
}

/// Whether a query is too long, not counting the cursor that links add. The encoded query with its
/// cursor must fit into a URI of the `http` crate: 65,534 bytes.
fn is_long(query: &str) -> bool {
    let pairs = query.split('&').filter(|pair| !pair.starts_with("cursor="));
    let asked = pairs.map(|pair| pair.len() + 1).sum::<usize>().saturating_sub(1);
    asked > QUERY_LIMIT || query.len() > 2 * QUERY_LIMIT
}

/// Whether a path has a `.` or `..` segment, encoded or not. A URL parser resolves these segments
/// and removes tabs and line breaks (URL Standard, "basic URL parser").
fn has_dots(path: &str) -> bool {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    let decoded = decoded.replace(['\t', '\n', '\r'], "");
    decoded.split(['/', '\\']).any(|segment| matches!(segment.trim(), "." | ".."))
}

/// Whether the decoded path still matches the route that the HTTP API selected.
fn is_of_route(event: &ApiGatewayV2httpRequest, path: &str) -> bool {
    let key = event.route_key.as_deref().and_then(|key| key.split_once(' '));
    key.is_none_or(|(_, pattern)| route_matches(pattern, path))
}

fn is_base64(body: Option<&str>) -> bool {
    body.is_none_or(|body| STANDARD.decode(body).is_ok())
}

/// Percent-encodes the characters in `set`, and every `%` that does not start an encoded byte.
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
