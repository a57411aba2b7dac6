//! `GET /ping`: the health check.

use std::collections::BTreeMap;

use axum::{
    extract::State,
    http::{HeaderMap, Uri},
};
use schema::Timestamp;
use serde::Serialize;
use web::Json;

use crate::Settings;

#[derive(Debug, Serialize)]
pub(crate) struct Ping {
    greeting: String,
    date: Timestamp,
    url: String,
    headers: BTreeMap<&'static str, String>,
}

/// The request headers that the answer repeats. Other headers may carry credentials and are left
/// out.
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

/// `GET /ping`: answers with the path and the harmless headers of the request. The query is left
/// out, since it may contain a key.
pub(crate) async fn ping(
    State(Settings { app, .. }): State<Settings>,
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
        date: lambda::now(),
        url: uri.path().to_owned(),
        headers: shown.map(|name| (name, values(name))).collect(),
    })
}
