//! Master keys, and the secrets derived from them.
//!
//! Derived secrets are not stored: a lead's key, a job's webhook secret and a cursor's signature are
//! each an HMAC-SHA256 under a master key, over a label and the IDs they belong to. Rotation adds a
//! key with a new `kid`; secrets derived from an older key remain valid until that key is removed.

mod derived;
mod mac;
mod seal;
mod set;
#[cfg(test)]
mod tests;

use futures_util::FutureExt;
pub use mac::{is_signature, mac};
use mac::{same, same_bytes};
pub use seal::{SealingKey, random};
use secrecy::{ExposeSecret, SecretString};
pub use set::KeySet;

use crate::{
    aws::Aws,
    config::{ConfigError, Env},
};
use domain::{JobId, LeadId, Result, TenantId};
use schema::Timestamp;

/// The minimum length of an HMAC key in bytes: that of the hash (RFC 7518 §3.2).
const KEY_BYTES: usize = 32;

/// Checks that `key` is long enough for signing. `name` is the variable to name in the error.
/// Surrounding whitespace does not count.
///
/// # Errors
///
/// [`ConfigError::Malformed`] if it is shorter than 32 bytes.
pub fn check_strength(name: &str, key: &SecretString) -> Result<(), ConfigError> {
    if key.expose_secret().trim().len() >= KEY_BYTES {
        return Ok(());
    }
    let rule = format!("must have keys of at least {KEY_BYTES} bytes (RFC 7518 §3.2)");
    Err(Env::malformed(name, rule))
}

/// Returns the value of the variable `name`, or of the secret named by `<name>_ARN`. Returns `None`
/// if neither is set.
///
/// # Errors
///
/// [`ConfigError::Unreachable`] if the secret cannot be read.
pub async fn secret(env: &Env, aws: &Aws, name: &str) -> Result<Option<SecretString>, ConfigError> {
    if let Some(value) = env.get(name) {
        return Ok(Some(value.into()));
    }
    let variable = format!("{name}_ARN");
    let Some(arn) = env.get(&variable) else { return Ok(None) };
    let secret = aws_sdk_secretsmanager::Client::new(&aws.service("SECRETS_MANAGER"))
        .get_secret_value()
        .secret_id(arn)
        .send()
        .boxed()
        .await;
    let secret = secret.map_err(|cause| ConfigError::Unreachable {
        doing: format!("reading the secret of {variable}"),
        cause: aws_smithy_types::error::display::DisplayErrorContext(cause).to_string(),
    })?;
    Ok(secret.secret_string.map(Into::into))
}

/// The label of the key that seals cookies of sign-ins.
const SIGN_IN: &[u8] = b"sign-in\0";

/// The master keys (`MASTER_KEYS`), from which other secrets are derived.
#[derive(Clone, Debug)]
pub struct MasterKeys(KeySet);

impl MasterKeys {
    /// Reads the keys from `MASTER_KEYS` or `MASTER_KEYS_ARN`.
    ///
    /// # Errors
    ///
    /// Same as [`KeySet::load`].
    pub async fn load(env: &Env, aws: &Aws) -> Result<Self, ConfigError> {
        KeySet::load(env, aws, "MASTER_KEYS").await.map(Self)
    }

    /// Returns the key in a lead's verification email: `length` hex characters.
    #[must_use]
    pub fn lead_key(&self, lead: LeadId, length: usize) -> SecretString {
        derived::lead_key(self.0.signing().1, lead, length)
    }

    /// Returns the key of a link that was issued to `lead` at this time: the time in milliseconds,
    /// a hyphen, and `length` hex characters.
    #[must_use]
    pub fn link_key(&self, lead: LeadId, issued: Timestamp, length: usize) -> SecretString {
        derived::link_key(self.0.signing().1, lead, issued.millis(), length)
    }

    /// Returns when `presented` was issued: a link's key at the time it contains, the key of a
    /// verification email at the creation of `lead`. Returns `None` if it is no key of `lead`.
    #[must_use]
    pub fn lead_key_issued(
        &self,
        lead: LeadId,
        length: usize,
        presented: &str,
    ) -> Option<Timestamp> {
        let is_key = |derive: &dyn Fn(&SecretString) -> SecretString| {
            self.0.verifying(None).any(|key| same(&derive(key), presented))
        };
        match presented.split_once('-') {
            Some((issued, _)) => {
                let millis = issued.parse().ok()?;
                is_key(&|key| derived::link_key(key, lead, millis, length))
                    .then(|| Timestamp::from_millis(millis))
            }
            None => {
                is_key(&|key| derived::lead_key(key, lead, length)).then(|| lead.created_at())?
            }
        }
    }

    /// Returns the secret that signs a job's webhook, in hex.
    #[must_use]
    pub fn webhook_secret(&self, tenant: TenantId, job: JobId) -> SecretString {
        derived::webhook_secret(self.0.signing().1, tenant, job)
    }

    /// Whether `signature` signs `message` with the secret of this tenant's job.
    #[must_use]
    pub fn is_webhook_signature(
        &self,
        tenant: TenantId,
        job: JobId,
        message: &[&[u8]],
        signature: &[u8],
    ) -> bool {
        self.0
            .verifying(None)
            .any(|key| is_signature(&derived::webhook_secret(key, tenant, job), message, signature))
    }

    /// Returns the secret that a tenant's build uses to sign `POST /manage/users`, in hex. It is
    /// valid only for this tenant's identity provider.
    #[must_use]
    pub fn idp_secret(&self, tenant: TenantId) -> SecretString {
        derived::idp_secret(self.0.signing().1, tenant)
    }

    /// Whether `signature` signs `message` with this tenant's [`Self::idp_secret`].
    #[must_use]
    pub fn is_idp_signature(&self, tenant: TenantId, message: &[&[u8]], signature: &[u8]) -> bool {
        self.0
            .verifying(None)
            .any(|key| is_signature(&derived::idp_secret(key, tenant), message, signature))
    }

    /// Returns the key that seals the cookie of a sign-in.
    ///
    /// # Errors
    ///
    /// Same as [`SealingKey::derive`].
    pub fn sign_in_key(&self) -> Result<SealingKey> {
        SealingKey::derive(self.0.signing().1, SIGN_IN)
    }

    /// Returns the text in the cookie of a sign-in. Returns `None` if it was not sealed for this
    /// `context`.
    #[must_use]
    pub fn open_sign_in(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let mut keys = self.0.verifying(None);
        keys.find_map(|key| SealingKey::derive(key, SIGN_IN).ok()?.open(context, sealed))
    }

    /// Returns the ID of the key that signs entries of the audit log.
    #[must_use]
    pub fn audit_key_id(&self) -> &str {
        self.0.signing().0
    }

    /// Returns the MAC of an entry of the audit log, in hex.
    #[must_use]
    pub fn audit_mac(&self, entry: &str) -> String {
        hex::encode(mac(&derived::audit_key(self.0.signing().1), &[entry.as_bytes()]))
    }

    /// Whether `presented` is the MAC of an entry of the audit log that names the key `kid`.
    #[must_use]
    pub fn is_audit_mac(&self, kid: &str, entry: &str, presented: &str) -> bool {
        let Some(key) = self.0.audit_key(kid) else { return false };
        same_bytes(hex::encode(mac(&key, &[entry.as_bytes()])).as_bytes(), presented.as_bytes())
    }

    /// Returns the tag that authenticates a cursor.
    #[must_use]
    pub fn cursor_tag(&self, cursor: &[u8]) -> Vec<u8> {
        mac(self.0.signing().1, &[b"cursor\0", cursor]).as_ref()[..16].to_vec()
    }

    /// Whether `tag` is the tag of `cursor`.
    #[must_use]
    pub fn is_cursor_tag(&self, cursor: &[u8], tag: &[u8]) -> bool {
        self.0
            .verifying(None)
            .any(|key| same_bytes(&mac(key, &[b"cursor\0", cursor]).as_ref()[..16], tag))
    }
}
