use std::fmt::Display;

use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_TYPE, LOCATION},
    },
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{EntityTag, Result};
use domain::Error;
use store::{RecordedAnswer, RecordedBody};

/// Maximum size of a body that is recorded, in bytes.
const RECORDED: usize = 64 * 1024;

/// The answer to a write, known before the write is committed.
#[derive(Clone, Debug)]
pub struct Reply {
    status: StatusCode,
    location: Option<String>,
    tag: Option<EntityTag>,
    body: Option<String>,
    source: Source,
}

/// The source of the body of a repeated answer.
#[derive(Clone, Debug)]
enum Source {
    /// The record.
    Record,
    /// The entity with this ID, if the body is too large for the record.
    LargeEntity(String),
    /// The entity with this ID, because the body has a credential.
    Credential(String),
}

impl Reply {
    /// Creates a 204 answer.
    #[must_use]
    pub fn no_content() -> Self {
        let status = StatusCode::NO_CONTENT;
        Self { status, location: None, tag: None, body: None, source: Source::Record }
    }

    /// Creates a 200 answer with a value as JSON.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the value cannot be written as JSON.
    pub fn json(value: &impl Serialize) -> domain::Result<Self> {
        let body = serde_json::to_string(value).map_err(Error::internal("writing an answer"))?;
        Ok(Self { status: StatusCode::OK, body: Some(body), ..Self::no_content() })
    }

    /// Changes the status to 202, because a job does the rest.
    #[must_use]
    pub fn accepted(self) -> Self {
        Self { status: StatusCode::ACCEPTED, ..self }
    }

    /// Adds the header `Location`.
    #[must_use]
    pub fn located_at(self, location: String) -> Self {
        Self { location: Some(location), ..self }
    }

    /// Adds the version of the entity as it is after the write.
    #[must_use]
    pub fn tagged(self, tag: EntityTag) -> Self {
        Self { tag: Some(tag), ..self }
    }

    /// Records only `id` if the body is too large. A repeated answer reads the entity with this ID.
    #[must_use]
    pub fn showing(self, id: impl Display) -> Self {
        Self { source: Source::LargeEntity(id.to_string()), ..self }
    }

    /// Records only `id`, because the body has a credential. A repeated answer derives it again.
    #[must_use]
    pub fn with_credential_of(self, id: impl Display) -> Self {
        Self { source: Source::Credential(id.to_string()), ..self }
    }

    /// Returns this answer with the body of another one.
    pub(crate) fn with_body_of(self, other: Self) -> Self {
        Self { body: other.body, ..self }
    }

    /// Returns the answer as it is recorded.
    pub(crate) fn to_record(&self) -> RecordedAnswer {
        let body = self.body.as_ref().map(|body| match &self.source {
            Source::Credential(id) => RecordedBody::Of(id.clone()),
            Source::LargeEntity(id) if body.len() > RECORDED => RecordedBody::Of(id.clone()),
            Source::LargeEntity(_) | Source::Record => RecordedBody::Json(body.clone()),
        });
        RecordedAnswer {
            status: self.status.as_u16(),
            location: self.location.clone(),
            version: self.tag.map(|EntityTag(version)| version),
            body,
        }
    }

    /// Returns a recorded answer, without a body if only an ID is recorded.
    pub(crate) fn from_record(record: RecordedAnswer) -> Result<Self> {
        let status = StatusCode::from_u16(record.status);
        let status = status.map_err(Error::internal("reading a recorded answer"))?;
        let body = match record.body {
            Some(RecordedBody::Json(body)) => Some(body),
            Some(RecordedBody::Of(_)) | None => None,
        };
        let (location, tag) = (record.location, record.version.map(EntityTag));
        Ok(Self { status, location, tag, body, source: Source::Record })
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let body = self.body.map(|body| {
            ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
        });
        let mut response = body.unwrap_or_else(|| ().into_response());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if let Some(tag) = self.tag {
            headers.insert(axum::http::header::ETAG, tag.into());
        }
        if let Some(location) = self.location.and_then(|location| location.parse().ok()) {
            headers.insert(LOCATION, location);
        }
        response
    }
}
