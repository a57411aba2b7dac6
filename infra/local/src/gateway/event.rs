//! The event of an HTTP request (payload format 2.0):
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.

use std::{borrow::Cow, collections::BTreeMap, net::IpAddr};

use axum::http::{HeaderMap, header, request::Parts};
use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use url::form_urlencoded;

use super::route;
use crate::template::Route;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event<'a> {
    version: &'static str,
    route_key: Cow<'a, str>,
    raw_path: Cow<'a, str>,
    raw_query_string: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<String>,
    headers: BTreeMap<&'a str, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    query_string_parameters: BTreeMap<String, String>,
    request_context: Context<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    path_parameters: BTreeMap<&'a str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Cow<'a, str>>,
    is_base64_encoded: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Context<'a> {
    account_id: &'static str,
    api_id: &'static str,
    domain_name: &'a str,
    domain_prefix: &'static str,
    http: Http<'a>,
    request_id: String,
    route_key: Cow<'a, str>,
    stage: &'static str,
    time_epoch: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    method: &'a str,
    path: Cow<'a, str>,
    protocol: &'static str,
    source_ip: IpAddr,
    user_agent: String,
}

impl<'a> Event<'a> {
    /// Creates the event of a request from `peer` for `route` of the API at `domain`.
    pub(crate) fn new(
        route: &'a Route,
        domain: &'a str,
        parts: &'a Parts,
        peer: IpAddr,
        body: &'a [u8],
    ) -> Self {
        let asked = parts.uri.path();
        let path = percent_decode_str(asked).decode_utf8_lossy();
        let key = match route.path.as_str() {
            "$default" => Cow::Borrowed("$default"),
            path => Cow::Owned(format!("{} {path}", route.method)),
        };
        let (body, is_base64_encoded) = encoded(&parts.headers, body);
        let http = Http {
            method: parts.method.as_str(),
            path: path.clone(),
            protocol: "HTTP/1.1",
            source_ip: peer,
            user_agent: joined(&parts.headers, header::USER_AGENT.as_str()),
        };
        let context = Context {
            account_id: "000000000000",
            api_id: "local",
            domain_name: domain,
            domain_prefix: "local",
            http,
            request_id: uuid::Uuid::new_v4().to_string(),
            route_key: key.clone(),
            stage: "$default",
            time_epoch: lambda::now().millis(),
        };
        Self {
            version: "2.0",
            route_key: key,
            raw_path: path,
            raw_query_string: parts.uri.query().unwrap_or_default(),
            cookies: cookies(&parts.headers),
            headers: headers(&parts.headers, peer),
            query_string_parameters: parameters(parts.uri.query().unwrap_or_default()),
            request_context: context,
            path_parameters: route::parameters(&route.path, asked),
            body,
            is_base64_encoded,
        }
    }
}

/// Returns every header by its lowercase name, with its values joined, and the headers that
/// identify the client.
fn headers(headers: &HeaderMap, peer: IpAddr) -> BTreeMap<&str, String> {
    let names = headers.keys().filter(|name| **name != header::COOKIE);
    let mut all: BTreeMap<_, _> =
        names.map(|name| (name.as_str(), joined(headers, name.as_str()))).collect();
    let claimed = all.get("x-forwarded-for").map(|claimed| format!("{claimed}, {peer}"));
    all.insert("x-forwarded-for", claimed.unwrap_or_else(|| peer.to_string()));
    all.insert("x-forwarded-proto", "http".into());
    all
}

fn joined(headers: &HeaderMap, name: &str) -> String {
    let values = headers.get_all(name).iter();
    let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()));
    values.collect::<Vec<_>>().join(",")
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let all = headers.get_all(header::COOKIE).iter();
    let all = all.map(|value| String::from_utf8_lossy(value.as_bytes()));
    all.flat_map(|value| {
        value.split(';').map(|cookie| cookie.trim().to_owned()).collect::<Vec<_>>()
    })
    .filter(|cookie| !cookie.is_empty())
    .collect()
}

/// Returns the decoded parameters of a query. Several values of a parameter are joined.
fn parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::<String, String>::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        parameters
            .entry(name.into_owned())
            .and_modify(|values| *values += &format!(",{value}"))
            .or_insert_with(|| value.into_owned());
    }
    parameters
}

/// Returns the body as text, or in base64 if its type or its bytes are not text.
fn encoded<'a>(headers: &HeaderMap, body: &'a [u8]) -> (Option<Cow<'a, str>>, bool) {
    if body.is_empty() {
        return (None, false);
    }
    let declared = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    match std::str::from_utf8(body) {
        Ok(text) if declared.is_some_and(is_text) => (Some(Cow::Borrowed(text)), false),
        _ => (Some(Cow::Owned(STANDARD.encode(body))), true),
    }
}

/// Returns whether a body of this type is passed as text.
fn is_text(declared: &str) -> bool {
    let essence = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let subtype = essence.strip_prefix("application/").unwrap_or_default();
    essence.starts_with("text/")
        || ["json", "javascript", "xml"].contains(&subtype)
        || subtype.ends_with("+json")
        || subtype.ends_with("+xml")
}
