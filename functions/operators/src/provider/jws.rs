//! Signed tokens of identity providers (RFC 7515).
//!
//! Two algorithms are verified, each with one type of key, by ring. The library that signs our own
//! tokens has one set of algorithms for the whole process, and there it is HS256 alone.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::{Deserialize, Deserializer, de::IgnoredAny};
use serde_json::{Map, Value};

/// The maximum length of a token in bytes. A longer one is refused before it is parsed.
const TOKEN_LIMIT: usize = 64 * 1024;

/// Length of a coordinate on the curve P-256, in bytes.
const COORDINATE: usize = 32;

/// A token whose signature is not verified yet.
pub(crate) struct Jws<'t> {
    header: Header,
    /// The claims.
    pub(crate) claims: Map<String, Value>,
    message: &'t [u8],
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    #[serde(default, deserialize_with = "is_present")]
    crit: bool,
}

/// A public key of an identity provider.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    kid: Option<String>,
    public: Public,
}

#[derive(Clone, Debug)]
enum Public {
    /// For RS256.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// For ES256: the uncompressed point.
    P256(Vec<u8>),
}

/// A key as in a JWK Set (RFC 7517).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl<'t> Jws<'t> {
    /// Parses the compact form. Returns `None` if it is malformed, or if the header has `crit`,
    /// because no extension is supported (RFC 7515 §4.1.11).
    pub(crate) fn parse(token: &'t str) -> Option<Self> {
        if token.len() > TOKEN_LIMIT {
            return None;
        }
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let header: Header = serde_json::from_slice(&BASE64.decode(header).ok()?).ok()?;
        let claims = serde_json::from_slice(&BASE64.decode(claims).ok()?).ok()?;
        let signature = BASE64.decode(signature).ok()?;
        (!header.crit).then_some(Self { header, claims, message: message.as_bytes(), signature })
    }

    /// Whether the algorithm is one of those that are verified.
    pub(crate) fn is_supported(&self) -> bool {
        ["RS256", "ES256"].contains(&self.header.alg.as_str())
    }

    /// Whether the header names this key, and the key is of the algorithm in the header. A header
    /// without a `kid` fits every key of its algorithm.
    pub(crate) fn fits(&self, key: &Key) -> bool {
        let named = self.header.kid.is_none() || self.header.kid == key.kid;
        let algorithm = match key.public {
            Public::Rsa { .. } => "RS256",
            Public::P256(_) => "ES256",
        };
        named && self.header.alg == algorithm
    }

    /// Whether the signature is that of `key`.
    pub(crate) fn is_signed_by(&self, key: &Key) -> bool {
        let verified = match &key.public {
            Public::Rsa { n, e } => RsaPublicKeyComponents { n, e }.verify(
                &RSA_PKCS1_2048_8192_SHA256,
                self.message,
                &self.signature,
            ),
            Public::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(self.message, &self.signature),
        };
        self.fits(key) && verified.is_ok()
    }
}

impl Key {
    /// Reads the keys of a JWK Set that can verify signatures. Others are left out.
    pub(crate) fn all_of(set: &Value) -> Option<Vec<Self>> {
        let keys = set["keys"].as_array()?;
        let usable = keys.iter().filter_map(|key| serde_json::from_value(key.clone()).ok());
        Some(usable.filter_map(Self::of).collect())
    }

    fn of(jwk: Jwk) -> Option<Self> {
        let is = |value: &Option<String>, expected| {
            value.as_deref().is_none_or(|value| value == expected)
        };
        let part = |part: Option<String>| BASE64.decode(part?).ok();
        if !is(&jwk.purpose, "sig") {
            return None;
        }
        let public = match jwk.kty.as_str() {
            "RSA" if is(&jwk.alg, "RS256") => {
                let n = part(jwk.n)?;
                let n = n.iter().skip_while(|byte| **byte == 0).copied().collect();
                Public::Rsa { n, e: part(jwk.e)? }
            }
            "EC" if is(&jwk.alg, "ES256") && jwk.crv.as_deref() == Some("P-256") => {
                let (x, y) = (part(jwk.x)?, part(jwk.y)?);
                if x.len() != COORDINATE || y.len() != COORDINATE {
                    return None;
                }
                Public::P256([&[4], x.as_slice(), &y].concat())
            }
            _ => return None,
        };
        Some(Self { kid: jwk.kid, public })
    }
}

/// Returns true for a present member with any value.
fn is_present<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}
