use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{Failure, encoding};
use domain::{Error, Result};
use schema::{Document, FromJson, Limits};

/// Maximum size of a request body, in bytes.
pub const BODY_LIMIT: usize = 256 * 1024;

/// The bytes of a request body of any type, up to [`BODY_LIMIT`], without content coding.
#[derive(Clone, Debug)]
pub struct RawBody(pub Vec<u8>);

/// A JSON request body, not validated against a schema yet.
#[derive(Clone, Debug)]
pub struct Body(pub Document);

/// A valid JSON request body. As an answer, a value sent as JSON.
#[derive(Debug)]
pub struct Json<T>(pub T);

/// A valid JSON request body, or `None` if the body is empty.
#[derive(Debug)]
pub struct OptionalJson<T>(pub Option<T>);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let bytes = axum::body::to_bytes(body, BODY_LIMIT).await;
        let bytes = bytes.map_err(|_| Error::TooLarge(BODY_LIMIT))?;
        Ok(Self(encoding::decoded(&parts.headers, bytes.into(), BODY_LIMIT)?))
    }
}

impl Body {
    /// Reads a body that must be JSON in UTF-8 according to `headers`.
    ///
    /// # Errors
    ///
    /// [`Error::UnsupportedMediaType`] if the content type is not JSON, and
    /// [`Error::UnsupportedCharset`] if it is in another encoding; otherwise the same as
    /// [`Self::parse`].
    pub fn declared(headers: &HeaderMap, bytes: Vec<u8>) -> Result<Self> {
        let declared = headers.get(CONTENT_TYPE);
        let json = declared.is_some_and(|declared| declared.to_str().is_ok_and(is_json));
        // An empty body without a type is reported as empty, not as the wrong type.
        if !(json || declared.is_none() && bytes.is_empty()) {
            return Err(Error::UnsupportedMediaType);
        }
        if declared.is_some_and(|declared| !declared.to_str().is_ok_and(is_unicode)) {
            return Err(Error::UnsupportedCharset);
        }
        Self::parse(bytes)
    }

    /// Reads JSON text. A byte order mark is dropped (RFC 8259 §8.1).
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] with the position of the first syntax error.
    pub fn parse(mut bytes: Vec<u8>) -> Result<Self> {
        bytes.drain(..bytes.len() - without_mark(&bytes).len());
        if bytes.is_empty() {
            return Err(Error::Malformed("The request body is empty; JSON is expected.".into()));
        }
        let text = String::from_utf8(bytes).map_err(|cause| Error::not_json(&cause))?;
        Document::parse(text, Limits::BODY).map(Self).map_err(|cause| Error::not_json(&cause))
    }
}

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let headers = request.headers().clone();
        let RawBody(bytes) = RawBody::from_request(request, state).await?;
        Ok(Self::declared(&headers, bytes)?)
    }
}

impl<S: Send + Sync, T: FromJson> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let Body(document) = Body::from_request(request, state).await?;
        Ok(Self(document.read()?))
    }
}

impl<S: Send + Sync, T: FromJson> FromRequest<S> for OptionalJson<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let headers = request.headers().clone();
        let RawBody(bytes) = RawBody::from_request(request, state).await?;
        if bytes.is_empty() {
            return Ok(Self(None));
        }
        Ok(Self(Some(Body::declared(&headers, bytes)?.0.read()?)))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// Whether a content type is `application/json` or `application/*+json`, with any parameters.
fn is_json(declared: &str) -> bool {
    let essence = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let subtype = essence.strip_prefix("application/").unwrap_or_default();
    subtype == "json" || subtype.ends_with("+json")
}

/// Whether a content type declares no encoding, or one whose bytes are UTF-8.
fn is_unicode(declared: &str) -> bool {
    let parameters = declared.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let mut charsets = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    charsets.all(|(_, value)| {
        let value = value.trim().trim_matches('"');
        ["utf-8", "utf8", "us-ascii"].iter().any(|known| known.eq_ignore_ascii_case(value))
    })
}

/// Returns the bytes of a text without its byte order mark. PowerShell and .NET send one.
#[must_use]
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_dropped() {
        assert_eq!(Body::parse("\u{FEFF}{}".into()).unwrap().0.text(), "{}");
        for bad in ["\u{FEFF}", "\u{FEFF}\u{FEFF}{}", "{\u{FEFF}}"] {
            assert!(Body::parse(bad.into()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn only_encodings_that_are_utf_8_are_accepted() {
        for (declared, accepted) in [
            ("application/json", true),
            ("application/json; charset=utf-8", true),
            ("application/json;charset=\"UTF-8\"; x=y", true),
            ("application/json; Charset = utf8", true),
            ("application/json; charset=us-ascii", true),
            ("application/json; charset=iso-8859-1", false),
            ("application/json; charset=utf-16", false),
            ("application/json; charset=", false),
            ("application/json; charset=utf-8; charset=utf-16", false),
        ] {
            assert_eq!(is_unicode(declared), accepted, "{declared}");
        }
    }

    #[test]
    fn a_malformed_body_is_refused_with_its_position() {
        let error = Body::parse(b"{\"key\": acme}".to_vec()).unwrap_err().to_string();
        assert!(error.contains("line 1 column 9"), "{error}");
        assert!(Body::parse(Vec::new()).unwrap_err().to_string().contains("empty"));
        assert!(Body::parse("[".repeat(100_000).into_bytes()).is_err());
        assert!(Body::parse(b"\"\xff\"".to_vec()).is_err());
    }

    #[test]
    fn json_media_types_are_recognised() {
        for (declared, json) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/merge-patch+json", true),
            ("text/json", false),
            ("application/jsonx", false),
            ("text/plain", false),
        ] {
            assert_eq!(is_json(declared), json, "{declared}");
        }
    }
}
