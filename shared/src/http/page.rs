use std::marker::PhantomData;

use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, header::LINK, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::Json;
use crate::{
    Error, Result,
    domain::Entity,
    filter::{Filter, with_cursor},
    token::Bearer,
};

/// What a list of `E` is asked for, by its query.
#[derive(Clone, Debug)]
pub struct Asked<E> {
    /// Which, in which order, with what.
    pub filter: Filter,
    path: String,
    query: String,
    entity: PhantomData<fn() -> E>,
}

impl<S: Send + Sync, E: Entity> FromRequestParts<S> for Asked<E> {
    type Rejection = Error;

    /// Refuses what it does not know: a typo must not select everything.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let (path, query) = (parts.uri.path().to_owned(), parts.uri.query().unwrap_or_default());
        let filter = Filter::from_query(query, E::SCHEMA)?;
        Ok(Self { filter, path, query: query.to_owned(), entity: PhantomData })
    }
}

impl<E> Asked<E> {
    /// What a cursor is good for: this list, as it was asked for, by this kind of caller.
    #[must_use]
    pub fn list(&self, bearer: &Bearer) -> String {
        let whose = bearer.lead().map(|lead| lead.to_string()).unwrap_or_default();
        format!("{whose} {}?{}", self.path, with_cursor(&self.query, ""))
    }
}

/// A page of a list, with the link to the next one (RFC 8288).
pub fn linked<E>(asked: &Asked<E>, items: impl Serialize, next: Option<&str>) -> Response {
    let mut response = Json(items).into_response();
    let link = next
        .map(|next| format!("<{}?{}>; rel=\"next\"", asked.path, with_cursor(&asked.query, next)));
    if let Some(link) = link.and_then(|link| HeaderValue::from_str(&link).ok()) {
        response.headers_mut().insert(LINK, link);
    }
    response
}
