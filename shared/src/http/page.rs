use axum::{
    extract::{FromRequestParts, Query},
    http::{HeaderValue, header::LINK, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::Json;
use crate::{Error, Result};

/// The most that one page holds (CONTRACT §8).
const LARGEST_PAGE: u16 = 1000;

/// The query of a list: `limit` (100 where it is absent) and `cursor`.
#[derive(Clone, Debug)]
pub struct ListQuery {
    /// How many at most.
    pub limit: u16,
    /// Where to begin, as the link to this page said.
    pub cursor: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for ListQuery {
    type Rejection = Error;

    /// Refuses what it does not know: a typo must not select everything.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let pairs: Query<Vec<(String, String)>> = Query::try_from_uri(&parts.uri)
            .map_err(|_| Error::BadParameter("the query string is malformed".into()))?;
        let mut query = Self { limit: 100, cursor: None };
        for (name, value) in pairs.0 {
            match name.as_str() {
                "limit" => query.limit = limit(&value)?,
                "cursor" => query.cursor = Some(value),
                _ => return Err(Error::BadParameter(format!("{name}: is no parameter of a list"))),
            }
        }
        Ok(query)
    }
}

fn limit(value: &str) -> Result<u16> {
    let limit = value.parse().ok().filter(|limit| (1..=LARGEST_PAGE).contains(limit));
    let rule = || format!("limit: must be a whole number from 1 to {LARGEST_PAGE}");
    limit.ok_or_else(|| Error::BadParameter(rule()))
}

/// A page of a list at `path`, with the link to the next one (RFC 8288).
pub fn linked<T: Serialize>(path: &str, limit: u16, items: T, next: Option<&str>) -> Response {
    let mut response = Json(items).into_response();
    let link = next.map(|cursor| format!("<{path}?limit={limit}&cursor={cursor}>; rel=\"next\""));
    if let Some(link) = link.and_then(|link| HeaderValue::from_str(&link).ok()) {
        response.headers_mut().insert(LINK, link);
    }
    response
}
