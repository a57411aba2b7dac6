//! Master keys, and the secrets derived from them.
//!
//! No secret is stored: a lead's key, a job's webhook secret and a cursor's signature are each an
//! HMAC-SHA256 under a master key, over a label and the IDs they belong to. Rotation adds a key
//! with a new `kid`; secrets derived from an older key remain valid until that key is removed.

mod seal;
mod set;

use ring::hmac;
pub use seal::{SealingKey, random};
use secrecy::{ExposeSecret, SecretString};
pub use set::KeySet;
use subtle::ConstantTimeEq;

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
    let secret = Box::pin(
        aws_sdk_secretsmanager::Client::new(&aws.service("SECRETS_MANAGER"))
            .get_secret_value()
            .secret_id(arn)
            .send(),
    )
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
        derive_lead_key(self.0.signing().1, lead, length)
    }

    /// Returns the key of a link that was issued to `lead` at this time: the time in milliseconds,
    /// a hyphen, and `length` hex characters.
    #[must_use]
    pub fn link_key(&self, lead: LeadId, issued: Timestamp, length: usize) -> SecretString {
        derive_link_key(self.0.signing().1, lead, issued.millis(), length)
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
                is_key(&|key| derive_link_key(key, lead, millis, length))
                    .then(|| Timestamp::from_millis(millis))
            }
            None => is_key(&|key| derive_lead_key(key, lead, length)).then(|| lead.created_at())?,
        }
    }

    /// Returns the secret that signs a job's webhook, in hex.
    #[must_use]
    pub fn webhook_secret(&self, tenant: TenantId, job: JobId) -> SecretString {
        derive_webhook_secret(self.0.signing().1, tenant, job)
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
            .any(|key| is_signature(&derive_webhook_secret(key, tenant, job), message, signature))
    }

    /// Returns the secret that a tenant's build uses to sign `POST /manage/users`, in hex. It is
    /// valid only for this tenant's identity provider.
    #[must_use]
    pub fn idp_secret(&self, tenant: TenantId) -> SecretString {
        derive_idp_secret(self.0.signing().1, tenant)
    }

    /// Whether `signature` signs `message` with this tenant's [`Self::idp_secret`].
    #[must_use]
    pub fn is_idp_signature(&self, tenant: TenantId, message: &[&[u8]], signature: &[u8]) -> bool {
        self.0
            .verifying(None)
            .any(|key| is_signature(&derive_idp_secret(key, tenant), message, signature))
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
        hex::encode(mac(&derive_audit_key(self.0.signing().1), &[entry.as_bytes()]))
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

fn derive_lead_key(master: &SecretString, lead: LeadId, length: usize) -> SecretString {
    let mut key = hex::encode(mac(master, &[b"lead\0", lead.as_bytes()]));
    key.truncate(length);
    key.into()
}

fn derive_link_key(
    master: &SecretString,
    lead: LeadId,
    issued: i64,
    length: usize,
) -> SecretString {
    let parts: [&[u8]; 3] = [b"link\0", lead.as_bytes(), &issued.to_be_bytes()];
    let mut key = hex::encode(mac(master, &parts));
    key.truncate(length);
    format!("{issued}-{key}").into()
}

fn derive_webhook_secret(master: &SecretString, tenant: TenantId, job: JobId) -> SecretString {
    let parts: [&[u8]; 3] = [b"webhook\0", tenant.as_bytes(), job.as_bytes()];
    hex::encode(mac(master, &parts)).into()
}

fn derive_idp_secret(master: &SecretString, tenant: TenantId) -> SecretString {
    hex::encode(mac(master, &[b"idp\0", tenant.as_bytes()])).into()
}

fn derive_audit_key(master: &SecretString) -> SecretString {
    hex::encode(mac(master, &[b"audit\0"])).into()
}

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

fn same(ours: &SecretString, presented: &str) -> bool {
    same_bytes(ours.expose_secret().as_bytes(), presented.as_bytes())
}

/// Compares in constant time. Only a difference in length is observable, and lengths are public.
fn same_bytes(ours: &[u8], presented: &[u8]) -> bool {
    ours.ct_eq(presented).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a key of the minimum length, 32 bytes.
    fn long(start: &str) -> String {
        format!("{start:-<32}")
    }

    fn master(value: &str) -> MasterKeys {
        MasterKeys(KeySet::parse("MASTER_KEYS", &value.into()).unwrap())
    }

    #[test]
    fn a_rotated_key_still_verifies_and_no_longer_signs() {
        let (tenant, job, lead) = (TenantId::generate(), JobId::generate(), LeadId::generate());
        let (old, new) = (long("old"), long("new"));
        let before = master(&format!(r#"{{"current":"k1","k1":"{old}"}}"#));
        let after = master(&format!(r#"{{"current":"k2","k1":"{old}","k2":"{new}"}}"#));
        let retired = master(&format!(r#"{{"current":"k2","k2":"{new}"}}"#));

        let key = before.lead_key(lead, 32);
        let key = key.expose_secret();
        assert_eq!(key.len(), 32);
        assert_eq!(after.lead_key_issued(lead, 32, key), lead.created_at());
        assert_eq!(retired.lead_key_issued(lead, 32, key), None);
        assert_ne!(after.lead_key(lead, 32).expose_secret(), key);

        let message: [&[u8]; 2] = [b"body", b"context"];
        let signature = mac(&before.webhook_secret(tenant, job), &message);
        assert!(after.is_webhook_signature(tenant, job, &message, signature.as_ref()));
        assert!(!retired.is_webhook_signature(tenant, job, &message, signature.as_ref()));
        assert!(!after.is_webhook_signature(
            tenant,
            JobId::generate(),
            &message,
            signature.as_ref()
        ));
    }

    #[test]
    fn an_idp_secret_is_valid_for_one_tenant_and_no_job() {
        let (keys, tenant, job) =
            (master(&long("secret")), TenantId::generate(), JobId::generate());
        let message: [&[u8]; 2] = [b"body", b"1"];
        let signature = mac(&keys.idp_secret(tenant), &message);
        assert!(keys.is_idp_signature(tenant, &message, signature.as_ref()));
        assert!(!keys.is_idp_signature(TenantId::generate(), &message, signature.as_ref()));
        assert!(!keys.is_webhook_signature(tenant, job, &message, signature.as_ref()));
    }

    #[test]
    fn a_lead_key_is_valid_for_one_lead_and_only_in_full() {
        let (keys, lead) = (master(&long("secret")), LeadId::generate());
        let key = keys.lead_key(lead, 32);
        let key = key.expose_secret();
        for (lead, wrong) in
            [(LeadId::generate(), key), (lead, &key[..31]), (lead, ""), (lead, "-"), (lead, "1-")]
        {
            assert_eq!(keys.lead_key_issued(lead, 32, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_key_of_a_link_is_valid_for_its_lead_and_time_only() {
        let (keys, lead) = (master(&long("secret")), LeadId::generate());
        let issued = Timestamp::from_millis(1_764_000_000_000);
        let key = keys.link_key(lead, issued, 32);
        let key = key.expose_secret();
        assert_eq!(keys.lead_key_issued(lead, 32, key), Some(issued));
        assert_eq!(keys.lead_key_issued(LeadId::generate(), 32, key), None);
        let mac = key.strip_prefix("1764000000000-").unwrap();
        assert_eq!(mac.len(), 32);
        for wrong in [
            mac.to_owned(),
            format!("1764000000001-{mac}"),
            format!("01764000000000-{mac}"),
            format!("+1764000000000-{mac}"),
            format!("{key}0"),
            key[..key.len() - 1].to_owned(),
        ] {
            assert_eq!(keys.lead_key_issued(lead, 32, &wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_set_without_its_current_key_is_refused_and_not_shown() {
        let set = format!(r#"{{"current":"k9","k1":"{}"}}"#, long("hidden"));
        let error = KeySet::parse("JWT_SECRET", &set.into()).unwrap_err();
        assert!(error.to_string().contains("JWT_SECRET"));
        assert!(!format!("{error} {:?}", master(&long("hidden"))).contains("hidden"));
    }

    #[test]
    fn a_key_under_256_bits_is_refused_by_name_and_not_shown() {
        let (short, enough) = ("s".repeat(31), "e".repeat(32));
        for weak in [
            "a".to_owned(),
            " ".repeat(64),
            "\t\n".repeat(40),
            short.clone(),
            format!("  {short}\n"),
            format!(r#"{{"current":"k2","k1":"{short}","k2":"{enough}"}}"#),
            format!(r#"{{"current":"k1","k1":"{short}","k2":"{enough}"}}"#),
            format!(r#"{{"current":"k1","k1":"{}"}}"#, " ".repeat(64)),
        ] {
            let error = KeySet::parse("JWT_SECRET", &weak.into()).unwrap_err().to_string();
            let rule = "JWT_SECRET must have keys of at least 32 bytes (RFC 7518 §3.2)";
            assert!(error.contains(rule) && !error.contains(&short), "{error}");
        }
        assert!(KeySet::parse("JWT_SECRET", &enough.into()).is_ok());
        // 32 bytes, although only 16 characters.
        assert!(KeySet::parse("JWT_SECRET", &"é".repeat(16).into()).is_ok());
    }

    #[test]
    fn bytes_are_compared_to_the_last_one() {
        for (presented, same) in [
            ("abc", true),
            ("abd", false),
            ("bbc", false),
            ("ab", false),
            ("abcd", false),
            ("", false),
        ] {
            assert_eq!(same_bytes(b"abc", presented.as_bytes()), same, "{presented}");
        }
    }
}
