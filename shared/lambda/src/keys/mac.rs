//! MACs, and comparisons in constant time.

use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// Whether `signature` signs `message` with `secret`. Compares in constant time.
#[must_use]
pub fn is_signature(secret: &SecretString, message: &[&[u8]], signature: &[u8]) -> bool {
    same_bytes(mac(secret, message).as_ref(), signature)
}

/// Returns the HMAC-SHA256 of the concatenated `parts`.
#[must_use]
pub fn mac(key: &SecretString, parts: &[&[u8]]) -> hmac::Tag {
    let mut context =
        hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret().as_bytes()));
    for part in parts {
        context.update(part);
    }
    context.sign()
}

pub(super) fn same(ours: &SecretString, presented: &str) -> bool {
    same_bytes(ours.expose_secret().as_bytes(), presented.as_bytes())
}

/// Compares in constant time. Only a difference in length is observable, and lengths are public.
pub(super) fn same_bytes(ours: &[u8], presented: &[u8]) -> bool {
    ours.ct_eq(presented).into()
}
