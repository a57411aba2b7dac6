//! `GET /ping`: a sign of life.

use std::collections::BTreeMap;

use axum::{
    extract::State,
    http::{HeaderMap, Uri},
};
use serde::Serialize;
use shared::{domain::Timestamp, http::Json};

use crate::AppName;

#[derive(Debug, Serialize)]
pub(crate) struct Ping {
    greeting: String,
    date: Timestamp,
    url: String,
    headers: BTreeMap<&'static str, String>,
}

/// The headers that are shown. None of them carries a credential: a header that is not known to be
/// harmless is not shown.
const SHOWN: [&str; 10] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "content-type",
    "host",
    "origin",
    "user-agent",
    "x-forwarded-for",
    "x-forwarded-port",
    "x-forwarded-proto",
];

/// `GET /ping`: that the API is up, and how a request reached it. The query is not shown, since it
/// may hold a key.
pub(crate) async fn ping(
    State(AppName(app)): State<AppName>,
    uri: Uri,
    headers: HeaderMap,
) -> Json<Ping> {
    let shown = SHOWN.into_iter().filter(|name| headers.contains_key(*name));
    let values = |name: &str| {
        let values = headers.get_all(name).iter();
        let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        values.collect::<Vec<_>>().join(", ")
    };
    Json(Ping {
        greeting: format!("Hello from {app}"),
        date: shared::now(),
        url: uri.path().to_owned(),
        headers: shown.map(|name| (name, values(name))).collect(),
    })
}
