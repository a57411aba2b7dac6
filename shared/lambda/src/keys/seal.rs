use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom, SystemRandom},
};
use secrecy::SecretString;

use super::mac;
use domain::{Error, Result};

/// A key that encrypts and authenticates small values with AES-256-GCM. Each value has a random
/// nonce, so a key may seal up to 2^32 values (NIST SP 800-38D §8.3).
#[derive(Debug)]
pub struct SealingKey(LessSafeKey);

impl SealingKey {
    /// Derives the key from `secret`: its HMAC-SHA256 over `label`.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the key cannot be created.
    pub fn derive(secret: &SecretString, label: &[u8]) -> Result<Self> {
        let key = mac(secret, &[label]);
        let key = UnboundKey::new(&AES_256_GCM, key.as_ref());
        let key = key.map_err(|_| Error::internal("deriving a key")("the length is wrong"))?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Encrypts `text`, bound to `context`. The nonce comes first in the result.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if there is no randomness.
    pub fn seal(&self, context: &[u8], text: &[u8]) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        random(&mut nonce)?;
        let mut sealed = text.to_vec();
        let unique = Nonce::assume_unique_for_key(nonce);
        let done = self.0.seal_in_place_append_tag(unique, Aad::from(context), &mut sealed);
        done.map_err(|_| Error::internal("sealing a value")("the value is too long"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Returns the text in `sealed`. Returns `None` if it was not sealed with this key for this
    /// `context`.
    #[must_use]
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let text = self.0.open_in_place(nonce, Aad::from(context), &mut sealed).ok()?;
        Some(text.to_vec())
    }
}

/// Fills `bytes` with randomness of the operating system.
///
/// # Errors
///
/// [`Error::Internal`] if there is none.
pub fn random(bytes: &mut [u8]) -> Result<()> {
    let filled = SystemRandom::new().fill(bytes);
    filled.map_err(|_| Error::internal("reading randomness")("the system has none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_opens_with_its_key_and_context_only() {
        let key = |secret: &str, label: &[u8]| SealingKey::derive(&secret.into(), label).unwrap();
        let ours = key("secret", b"label");
        let sealed = ours.seal(b"context", b"text").unwrap();
        assert_eq!(ours.open(b"context", &sealed).unwrap(), b"text");
        assert_ne!(ours.seal(b"context", b"text").unwrap(), sealed);
        assert_eq!(ours.open(b"other", &sealed), None);
        assert_eq!(key("other", b"label").open(b"context", &sealed), None);
        assert_eq!(key("secret", b"other").open(b"context", &sealed), None);
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert_eq!(ours.open(b"context", &changed), None, "{position}");
            assert_eq!(ours.open(b"context", &sealed[..position]), None, "{position}");
        }
    }
}
