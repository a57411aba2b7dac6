//! Converts the answer of a function (payload format 2.0) to HTTP.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::json;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    cookies: Vec<String>,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// Converts an answer to a response. Returns `None` if the answer is invalid, which the HTTP API
/// treats as a failure of the function.
pub(super) fn response(answer: &[u8]) -> Option<Response> {
    let answer: Answer = serde_json::from_slice(answer).ok()?;
    let body = answer.body.unwrap_or_default();
    let body = if answer.is_base64_encoded { STANDARD.decode(body).ok()? } else { body.into() };
    let mut response = Response::builder().status(answer.status_code);
    for (name, value) in &answer.headers {
        // The length of a body is computed again. The length in an answer to HEAD is kept.
        if body.is_empty() || !name.eq_ignore_ascii_case(header::CONTENT_LENGTH.as_str()) {
            response = response.header(name, HeaderValue::from_bytes(value.as_bytes()).ok()?);
        }
    }
    for cookie in &answer.cookies {
        response = response.header(header::SET_COOKIE, cookie);
    }
    response.body(Body::from(body)).ok()
}

/// Returns an answer of the HTTP API itself.
pub(super) fn message(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(json!({ "message": message }))).into_response()
}
