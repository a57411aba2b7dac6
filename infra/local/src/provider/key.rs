use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest::{SHA256, digest},
    error::Unspecified,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};

/// A key that signs ID tokens with ES256 (RFC 7518 §3.4).
#[derive(Debug)]
pub(super) struct Key {
    pair: EcdsaKeyPair,
    /// A digest of the public key.
    id: String,
}

impl Key {
    /// Generates a key pair.
    pub(super) fn new() -> Result<Self, String> {
        let (random, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random);
        let document = document.map_err(|cause| cause.to_string())?;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random);
        let pair = pair.map_err(|cause| cause.to_string())?;
        let id = encode(&digest(&SHA256, pair.public_key().as_ref()).as_ref()[..12]);
        Ok(Self { pair, id })
    }

    /// Returns the public key as a JSON Web Key Set.
    pub(super) fn set(&self) -> Value {
        // An uncompressed point: the byte 4, then two coordinates of 32 bytes each.
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        let (x, y) = (encode(x), encode(y));
        let key = json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.id, "x": x, "y": y });
        json!({ "keys": [key] })
    }

    /// Returns a signed token with these claims.
    pub(super) fn sign(&self, claims: &Value) -> Result<String, Unspecified> {
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": self.id });
        let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes())?;
        Ok(format!("{signed}.{}", encode(signature)))
    }
}

/// Encodes bytes in base64url without padding.
pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
