use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use super::{check_strength, derived, secret};
use crate::{
    aws::Aws,
    config::{ConfigError, Env},
};

/// A set of keys by `kid`. One signs, all verify.
///
/// In Secrets Manager, a set is flat JSON: `{"current":"k2","k1":"…","k2":"…"}`. Any other text is
/// a set of that single key.
#[derive(Clone, Debug)]
pub struct KeySet {
    current: String,
    keys: BTreeMap<String, SecretString>,
    /// The keys derived from removed master keys that verify the audit log, by `kid`.
    audit: BTreeMap<String, SecretString>,
}

/// The start of the members that verify the audit log after their master key was removed.
const AUDIT: &str = "audit-";

impl KeySet {
    /// Reads the set from the variable `name` or the secret named by `<name>_ARN`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if neither is set, if the secret cannot be read, or in the cases of
    /// [`Self::parse`].
    pub async fn load(env: &Env, aws: &Aws, name: &str) -> Result<Self, ConfigError> {
        let value = secret(env, aws, name).await?;
        Self::parse(name, &value.ok_or_else(|| ConfigError::Missing(name.to_owned()))?)
    }

    /// Parses a set as stored in a secret. `name` is the variable to name in the error.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Malformed`] if the form is wrong or a key is shorter than 32 bytes.
    pub fn parse(name: &str, value: &SecretString) -> Result<Self, ConfigError> {
        let members: Result<BTreeMap<String, String>, _> =
            serde_json::from_str(value.expose_secret());
        let set = match members {
            Ok(mut members) => Self {
                current: members.remove("current").unwrap_or_default(),
                audit: members
                    .extract_if(.., |name, _| name.starts_with(AUDIT))
                    .map(|(name, key)| (name[AUDIT.len()..].to_owned(), key.into()))
                    .collect(),
                keys: members.into_iter().map(|(kid, key)| (kid, key.into())).collect(),
            },
            Err(_) => Self {
                current: "default".into(),
                keys: [("default".into(), value.clone())].into(),
                audit: BTreeMap::new(),
            },
        };
        if !set.keys.contains_key(&set.current) {
            return Err(Env::malformed(
                name,
                "must be a key or a set of keys with the current one",
            ));
        }
        set.keys
            .values()
            .chain(set.audit.values())
            .try_for_each(|key| check_strength(name, key))?;
        Ok(set)
    }

    /// Returns the `kid` and the key that sign.
    #[must_use]
    pub fn signing(&self) -> (&str, &SecretString) {
        (&self.current, &self.keys[&self.current])
    }

    /// Returns the key with this `kid`, or all keys if no `kid` is given.
    pub fn verifying<'a>(&'a self, kid: Option<&'a str>) -> impl Iterator<Item = &'a SecretString> {
        self.keys
            .iter()
            .filter(move |(known, _)| kid.is_none_or(|kid| kid == *known))
            .map(|(_, key)| key)
    }

    /// Returns the next set in a rotation, with a `fresh` key added: the previously fresh key
    /// signs, the previous signing key still verifies, and older keys are removed.
    ///
    /// A fresh key signs only after the next rotation. Functions read the set when they start, so
    /// by then every running function knows the key.
    #[must_use]
    pub fn rotated(&self, fresh: SecretString) -> Self {
        let waiting = self.keys.keys().filter(|kid| number(kid) > number(&self.current));
        let next = waiting.min_by_key(|kid| number(kid)).unwrap_or(&self.current);
        let newest = self.keys.keys().map(|kid| number(kid)).max().unwrap_or_default();
        let mut keys = self.keys.clone();
        keys.retain(|kid, _| *kid == self.current || number(kid) >= number(next));
        keys.insert(format!("k{}", newest + 1), fresh);
        Self { current: next.clone(), keys, audit: self.audit.clone() }
    }

    /// Returns this set of master keys with what verifies the audit log that `earlier` has signed:
    /// entries are kept for longer than keys.
    #[must_use]
    pub fn verifying_audit_of(mut self, earlier: &Self) -> Self {
        let removed = earlier.keys.iter().filter(|(kid, _)| !self.keys.contains_key(*kid));
        let derived = removed.map(|(kid, key)| (kid.clone(), derived::audit_key(key)));
        self.audit.extend(derived.collect::<Vec<_>>());
        self
    }

    /// Returns the key that verifies the entries of the audit log that name this `kid`.
    #[must_use]
    pub(super) fn audit_key(&self, kid: &str) -> Option<SecretString> {
        self.keys.get(kid).map(derived::audit_key).or_else(|| self.audit.get(kid).cloned())
    }

    /// Returns the set as stored in a secret.
    #[must_use]
    pub fn to_secret(&self) -> SecretString {
        let audit = self.audit.iter().map(|(kid, key)| (format!("{AUDIT}{kid}"), key));
        let keys = self.keys.iter().map(|(kid, key)| (kid.clone(), key)).chain(audit);
        let mut members: BTreeMap<String, &str> =
            keys.map(|(name, key)| (name, key.expose_secret())).collect();
        members.insert("current".to_owned(), &self.current);
        serde_json::json!(members).to_string().into()
    }

    /// Whether everything signed by `earlier` is valid under this set.
    #[must_use]
    pub fn verifies(&self, earlier: &Self) -> bool {
        let (kid, key) = earlier.signing();
        self.keys.get(kid).is_some_and(|known| known.expose_secret() == key.expose_secret())
    }
}

/// Returns the number of a `kid`, or 0 if rotation did not create it.
fn number(kid: &str) -> u64 {
    kid.strip_prefix('k').and_then(|number| number.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a key of the minimum length, 32 bytes.
    fn long(start: &str) -> String {
        format!("{start:-<32}")
    }

    #[test]
    fn a_fresh_key_waits_for_the_next_rotation_and_the_previous_key_still_verifies() {
        let steps: Vec<String> = std::iter::successors(Some(long("text")), |secret| {
            let set = KeySet::parse("KEYS", &secret.as_str().into()).unwrap();
            let fresh = long(&format!("key of {}", set.current));
            Some(set.rotated(fresh.into()).to_secret().expose_secret().to_owned())
        })
        .take(5)
        .collect();
        let shown: Vec<_> = steps.iter().map(|step| step.replace('-', "")).collect();
        insta::assert_debug_snapshot!(shown, @r#"
        [
            "text",
            "{\"current\":\"default\",\"default\":\"text\",\"k1\":\"key of default\"}",
            "{\"current\":\"k1\",\"default\":\"text\",\"k1\":\"key of default\",\"k2\":\"key of default\"}",
            "{\"current\":\"k2\",\"k1\":\"key of default\",\"k2\":\"key of default\",\"k3\":\"key of k1\"}",
            "{\"current\":\"k3\",\"k2\":\"key of default\",\"k3\":\"key of k1\",\"k4\":\"key of k2\"}",
        ]
        "#);
        for pair in steps.windows(2) {
            let [earlier, later] =
                [0, 1].map(|at| KeySet::parse("KEYS", &pair[at].as_str().into()).unwrap());
            assert!(later.verifies(&earlier));
        }
    }

    #[test]
    fn a_removed_master_key_leaves_what_verifies_the_audit_log() {
        let (a, b) = (long("a"), long("b"));
        let set = format!(r#"{{"current":"k2","k1":"{a}","k2":"{b}","k3":"{b}"}}"#);
        let before = KeySet::parse("KEYS", &set.into()).unwrap();
        let rotated = before.rotated(long("c").into()).verifying_audit_of(&before);
        let again = rotated.rotated(long("d").into()).verifying_audit_of(&rotated);
        let read = KeySet::parse("KEYS", &again.to_secret()).unwrap();
        for kid in ["k1", "k2", "k3"] {
            let [was, is] =
                [&before, &read].map(|set| set.audit_key(kid).unwrap().expose_secret().to_owned());
            assert_eq!(was, is, "{kid}");
        }
        assert_eq!(read.verifying(None).count(), 3, "a derived key verifies nothing else");
        assert!(!read.to_secret().expose_secret().contains(&a));
        assert!(read.audit_key("k9").is_none());
    }

    #[test]
    fn keys_are_ordered_by_number_not_by_text() {
        let (a, b, c, d) = (long("a"), long("b"), long("c"), long("d"));
        let set = format!(r#"{{"current":"k9","k9":"{a}","k10":"{b}","k8":"{c}"}}"#);
        let rotated = KeySet::parse("KEYS", &set.into()).unwrap().rotated(d.clone().into());
        let expected = format!(r#"{{"current":"k10","k10":"{b}","k11":"{d}","k9":"{a}"}}"#);
        assert_eq!(rotated.to_secret().expose_secret(), expected);
    }
}
