//! Content that is embedded and served compressed.

use std::io::Read;

use axum::{
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{
            ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
            VARY,
        },
    },
    response::{IntoResponse, Response},
};
use domain::Error;
use flate2::read::GzDecoder;
use web::Result;

/// The OpenAPI document.
const DOCUMENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/document.gz"));

/// Answers with gzip content, or decompresses it for a client that does not accept gzip.
pub(crate) fn answer(gzip: &'static [u8], headers: &HeaderMap) -> Result<Response> {
    let vary = (VARY, HeaderValue::from_static("accept-encoding"));
    if accepts_gzip(headers) {
        let packed = (CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        return Ok(([vary, packed], gzip).into_response());
    }
    let mut plain = Vec::new();
    let unpacked = GzDecoder::new(gzip).read_to_end(&mut plain);
    unpacked.map_err(Error::internal("unpacking a file"))?;
    Ok(([vary], plain).into_response())
}

/// `GET /openapi.json`: answers 304 if the client's copy is up to date.
pub(crate) async fn document(headers: HeaderMap) -> Result<Response> {
    let tag = format!("W/\"{}\"", env!("DOCUMENT_TAG"));
    let head = [(CACHE_CONTROL, "no-cache".to_owned()), (ETAG, tag.clone())];
    let known = headers.get(IF_NONE_MATCH).and_then(|known| known.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|each| each.trim() == tag)) {
        return Ok((StatusCode::NOT_MODIFIED, head).into_response());
    }
    let json = [(CONTENT_TYPE, "application/json")];
    Ok((head, json, answer(DOCUMENT, &headers)?).into_response())
}

/// Returns whether the client accepts gzip (RFC 9110 §12.5.3).
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}
