use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use ring::digest::{SHA256, digest};
use schema::Timestamp;
use uuid::Uuid;

use super::{key::encode, people::Person};

/// How long a code can be exchanged. RFC 6749 §4.1.2 recommends at most 10 minutes.
const LIFETIME: Duration = Duration::from_secs(60);

/// Maximum codes kept at a time. Beyond it the oldest is dropped.
const MAX: usize = 1000;

/// A permission to sign in as a person. A code exchanges it for tokens.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) person: &'static Person,
    pub(super) redirect_uri: String,
    /// The S256 challenge of PKCE.
    pub(super) challenge: String,
    pub(super) nonce: Option<String>,
    pub(super) granted_at: Timestamp,
}

impl Grant {
    /// Returns whether `verifier` belongs to the challenge (RFC 7636 §4.6).
    pub(super) fn is_verified_by(&self, verifier: &str) -> bool {
        encode(digest(&SHA256, verifier.as_bytes())) == self.challenge
    }
}

/// The codes that were issued and not yet exchanged.
#[derive(Debug, Default)]
pub(super) struct Codes(Mutex<HashMap<String, Grant>>);

impl Codes {
    /// Issues a code for a grant.
    pub(super) fn issue(&self, grant: Grant) -> String {
        let mut grants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = grant.granted_at;
        grants.retain(|_, other| is_fresh(other, now));
        if grants.len() >= MAX {
            let oldest = grants.iter().min_by_key(|(_, grant)| grant.granted_at);
            let oldest = oldest.map(|(code, _)| code.clone());
            grants.remove(&oldest.unwrap_or_default());
        }
        let code = Uuid::new_v4().simple().to_string();
        grants.insert(code.clone(), grant);
        code
    }

    /// Takes the grant of a code. A code can be taken once, whether or not it is exchanged then.
    pub(super) fn take(&self, code: &str, now: Timestamp) -> Option<Grant> {
        let mut grants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        grants.remove(code).filter(|grant| is_fresh(grant, now))
    }
}

fn is_fresh(grant: &Grant, now: Timestamp) -> bool {
    now < grant.granted_at + LIFETIME
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(granted_at: Timestamp) -> Grant {
        let person = Person::of("ada").unwrap();
        // The example of RFC 7636, appendix B.
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".into();
        Grant { person, redirect_uri: String::new(), challenge, nonce: None, granted_at }
    }

    #[test]
    fn a_code_can_be_taken_once_and_within_a_minute() {
        let (codes, now) = (Codes::default(), Timestamp::from_millis(1_000_000));
        let (first, second) = (codes.issue(grant(now)), codes.issue(grant(now)));
        assert_ne!(first, second);
        assert!(codes.take(&first, now + Duration::from_secs(59)).is_some());
        assert!(codes.take(&first, now).is_none());
        assert!(codes.take(&second, now + LIFETIME).is_none());
        assert!(codes.take("", now).is_none());
    }

    #[test]
    fn codes_are_limited_in_number() {
        let (codes, start) = (Codes::default(), Timestamp::from_millis(0));
        let issued = (0..=MAX).map(|n| {
            let millis = u64::try_from(n).unwrap();
            codes.issue(grant(start + Duration::from_millis(millis)))
        });
        let issued: Vec<_> = issued.collect();
        assert!(codes.take(&issued[0], start).is_none());
        assert!(codes.take(&issued[1], start).is_some());
    }

    #[test]
    fn a_challenge_belongs_to_its_verifier() {
        let grant = grant(Timestamp::from_millis(0));
        assert!(grant.is_verified_by("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        for other in ["", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl", &grant.challenge] {
            assert!(!grant.is_verified_by(other), "{other}");
        }
    }
}
