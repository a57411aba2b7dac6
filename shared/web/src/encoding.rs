use std::io::Read;

use axum::http::{
    HeaderMap, HeaderValue,
    header::{CONTENT_ENCODING, HeaderName},
};
use flate2::read::MultiGzDecoder;

use domain::{Error, Result};

/// The header of a 415 that names the content codings that a body may have (RFC 9110 §15.5.16).
pub(crate) const ACCEPTED: (HeaderName, HeaderValue) =
    (axum::http::header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));

/// Returns the bytes of a body without its content coding, at most `most`.
///
/// # Errors
///
/// [`Error::UnsupportedEncoding`] for a coding other than gzip; [`Error::TooLarge`] beyond the limit;
/// [`Error::Malformed`] if the bytes are not gzip.
pub(crate) fn decoded(headers: &HeaderMap, bytes: Vec<u8>, most: usize) -> Result<Vec<u8>> {
    let codings = headers.get_all(CONTENT_ENCODING).iter();
    let codings = codings.map(|value| value.to_str().unwrap_or("?").to_ascii_lowercase());
    let codings = codings.collect::<Vec<_>>().join(",");
    let codings = codings.split(',').map(str::trim);
    let mut codings = codings.filter(|coding| !matches!(*coding, "" | "identity"));
    match (codings.next(), codings.next()) {
        (None, _) => Ok(bytes),
        (Some("gzip" | "x-gzip"), None) => unzipped(&bytes, most),
        _ => Err(Error::UnsupportedEncoding),
    }
}

/// Decompresses no more than the limit, so that a small body cannot fill the memory.
fn unzipped(bytes: &[u8], most: usize) -> Result<Vec<u8>> {
    let mut unzipped = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let read = MultiGzDecoder::new(bytes).take(limit).read_to_end(&mut unzipped);
    if unzipped.len() > most {
        return Err(Error::TooLarge(most));
    }
    read.map_err(|_| Error::Malformed("The request body is not in gzip format.".into()))?;
    Ok(unzipped)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn zipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn decode(codings: &[&'static str], bytes: &[u8]) -> Result<Vec<u8>> {
        let mut headers = HeaderMap::new();
        for coding in codings {
            headers.append(CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        decoded(&headers, bytes.to_vec(), 1000)
    }

    #[test]
    fn gzip_is_read_and_nothing_else() {
        for codings in [&["gzip"][..], &["GZip"], &["x-gzip"], &["identity, gzip"], &["", "gzip"]] {
            assert_eq!(decode(codings, &zipped(b"{}")).unwrap(), b"{}", "{codings:?}");
        }
        let parts = [zipped(b"{"), zipped(b"}")].concat();
        assert_eq!(decode(&["gzip"], &parts).unwrap(), b"{}");
        for codings in [&[][..], &["identity"], &[""]] {
            assert_eq!(decode(codings, b"{}").unwrap(), b"{}", "{codings:?}");
        }
        for codings in [&["br"][..], &["deflate"], &["gzip, gzip"], &["gzip", "br"], &["gzip;q=1"]]
        {
            let refused = decode(codings, b"{}");
            assert!(matches!(refused, Err(Error::UnsupportedEncoding)), "{codings:?}");
        }
    }

    #[test]
    fn a_body_is_bounded_after_it_is_decompressed() {
        assert_eq!(decode(&["gzip"], &zipped(&[b' '; 1000])).unwrap().len(), 1000);
        let mut bomb = zipped(&vec![b' '; 10_000_000]);
        assert!(matches!(decode(&["gzip"], &bomb), Err(Error::TooLarge(1000))));
        bomb.truncate(100);
        assert!(matches!(decode(&["gzip"], &bomb), Err(Error::TooLarge(1000))));
    }

    #[test]
    fn a_damaged_body_is_refused() {
        let mut whole = zipped(b"{}");
        whole.truncate(whole.len() - 1);
        for bytes in [&b"{}"[..], b"", &whole, &[0x1f, 0x8b]] {
            assert!(matches!(decode(&["gzip"], bytes), Err(Error::Malformed(_))), "{bytes:?}");
        }
    }
}
