use std::time::Duration;

use axum::{
    extract::{FromRequest, Request},
    http::HeaderMap,
};

use crate::{Failure, RawBody};
use domain::{Error, Result, Via};
use schema::Timestamp;

/// The two headers of a signed request, well formed and fresh.
#[derive(Debug)]
pub struct Signature {
    timestamp: String,
    time: Timestamp,
    mac: Vec<u8>,
}

impl Signature {
    /// Reads `x-timestamp` (milliseconds since the epoch) and `x-signature` (lowercase hex).
    ///
    /// # Errors
    ///
    /// [`Error::Unauthorized`] if a header is missing, malformed or repeated, or if the timestamp
    /// differs from `now` by more than `tolerance`.
    pub fn of(headers: &HeaderMap, now: Timestamp, tolerance: Duration) -> Result<Self> {
        let header = |name| {
            let mut values = headers.get_all(name).iter();
            let only = values.next().filter(|_| values.next().is_none());
            only.and_then(|value| value.to_str().ok())
        };
        let timestamp = header("x-timestamp").unwrap_or_default();
        let time = fresh(timestamp, now, tolerance);
        let mac = header("x-signature").and_then(mac_of_hex);
        match (time, mac) {
            (Some(time), Some(mac)) => Ok(Self { timestamp: timestamp.to_owned(), time, mac }),
            _ => Err(Error::Unauthorized("no well-formed and fresh signature")),
        }
    }

    /// Returns the timestamp exactly as sent. It is the last part of the signed message.
    #[must_use]
    pub fn timestamp(&self) -> &[u8] {
        self.timestamp.as_bytes()
    }

    /// Returns the timestamp.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// Returns the HMAC claimed by the sender.
    #[must_use]
    pub fn mac(&self) -> &[u8] {
        &self.mac
    }
}

/// The headers and the bytes of a signed request. The signature covers the bytes as sent, so the
/// handler checks it before it reads them as JSON.
#[derive(Clone, Debug)]
pub struct SignedBody {
    /// The headers, with the signature among them.
    pub headers: HeaderMap,
    /// The bytes, up to [`BODY_LIMIT`](crate::BODY_LIMIT).
    pub bytes: Vec<u8>,
}

impl<S: Send + Sync> FromRequest<S> for SignedBody {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let headers = request.headers().clone();
        let RawBody(bytes) = RawBody::from_request(request, state).await?;
        // Nothing is written before the handler has checked the signature.
        lambda::trace::called_by(Via::Build);
        Ok(Self { headers, bytes })
    }
}

/// Returns the time of a timestamp that is well formed and fresh.
fn fresh(millis: &str, now: Timestamp, tolerance: Duration) -> Option<Timestamp> {
    let digits = !millis.is_empty() && millis.bytes().all(|byte| byte.is_ascii_digit());
    let sent = millis.parse().ok().filter(|_| digits).map(Timestamp::from_millis)?;
    (now.since(sent) <= tolerance && sent.since(now) <= tolerance).then_some(sent)
}

fn mac_of_hex(text: &str) -> Option<Vec<u8>> {
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let well_formed = text.len() == 64 && text.bytes().all(lower);
    well_formed.then(|| hex::decode(text).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_fresh_within_the_tolerance_on_both_sides() {
        let (now, tolerance) = (Timestamp::from_millis(1_000_000), Duration::from_secs(20));
        for (millis, expected) in [
            ("1000000", true),
            ("980000", true),
            ("979999", false),
            ("1020000", true),
            ("1020001", false),
            ("+1000000", false),
            ("-1000000", false),
            ("1e6", false),
            ("", false),
            ("99999999999999999999999", false),
            ("9223372036854775807", false),
        ] {
            assert_eq!(fresh(millis, now, tolerance).is_some(), expected, "{millis}");
        }
    }

    #[test]
    fn a_repeated_header_is_refused() {
        let (now, tolerance) = (Timestamp::from_millis(1_000_000), Duration::from_secs(20));
        let headers = [("x-timestamp", "1000000"), ("x-signature", &"0a".repeat(32))];
        let signed = |headers: &[(&'static str, &str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(*name, value.parse().unwrap());
            }
            Signature::of(&map, now, tolerance).is_ok()
        };
        assert!(signed(&headers));
        for twice in headers {
            assert!(!signed(&[headers[0], headers[1], twice]), "{twice:?}");
        }
    }

    #[test]
    fn a_signature_is_64_lowercase_hex_digits() {
        assert!(mac_of_hex(&"0a".repeat(32)).is_some());
        for bad in ["0A".repeat(32), "0a".repeat(31), "zz".repeat(32), String::new()] {
            assert!(mac_of_hex(&bad).is_none());
        }
    }
}
