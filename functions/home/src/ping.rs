//! `GET /ping`: a sign of life.

use std::collections::BTreeMap;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, Uri, header::CACHE_CONTROL},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use shared::{domain::Timestamp, http::Json};

use crate::AppName;

#[derive(Debug, Serialize)]
struct Ping<'a> {
    greeting: String,
    date: Timestamp,
    url: &'a str,
    headers: BTreeMap<&'a str, String>,
}

/// What the names of headers with secrets in them have in common.
const SECRET: [&str; 7] = ["auth", "cookie", "credential", "key", "secret", "signature", "token"];

/// `GET /ping`: who is there, when, and what was asked, without what is secret in it.
pub(crate) async fn ping(
    State(AppName(app)): State<AppName>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let names = headers.keys().map(HeaderName::as_str);
    let told = names.filter(|name| !SECRET.iter().any(|secret| name.contains(secret)));
    let values = |name: &str| {
        let values = headers.get_all(name).iter();
        let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        values.collect::<Vec<_>>().join(", ")
    };
    let ping = Ping {
        greeting: format!("Hello from {app}"),
        date: shared::now(),
        url: uri.path_and_query().map_or("/", |asked| asked.as_str()),
        headers: told.map(|name| (name, values(name))).collect(),
    };
    ([(CACHE_CONTROL, "no-store")], Json(ping)).into_response()
}
