use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Operator, claims, role::GrantedRole};
use crate::Roles;

/// The email addresses and subjects that are admin whatever their groups (`OPERATOR_ADMINS`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admins {
    listed: BTreeSet<String>,
}

impl Admins {
    /// Creates the list. An email address counts only if the provider has verified it.
    #[must_use]
    pub fn new(listed: BTreeSet<String>) -> Self {
        Self { listed }
    }

    /// Returns the role of an admin if the bearer of `claims` is listed.
    #[must_use]
    pub fn role(&self, claims: &Map<String, Value>, subject: &str) -> Option<GrantedRole> {
        let granted = |claim: &str, value: Option<&str>| GrantedRole {
            role: Roles::ADMIN.to_owned(),
            claim: claim.to_owned(),
            value: value.map(str::to_owned),
        };
        let email = claims::verified_email(claims).filter(|email| self.lists_email(email));
        match email {
            Some(_) => Some(granted(claims::EMAIL, None)),
            None => self.lists_subject(subject).then(|| granted("sub", Some(subject))),
        }
    }

    /// Returns whether a person is listed that is not among `others`.
    #[must_use]
    pub fn lists_another_than<'o>(&self, others: impl Iterator<Item = &'o Operator>) -> bool {
        let mut left: BTreeSet<_> = self.listed.iter().map(|one| one.to_lowercase()).collect();
        for other in others {
            if !is_email(&other.subject) {
                left.remove(&other.subject.to_lowercase());
            }
            if let Some(email) = &other.profile.email {
                left.remove(&email.to_lowercase());
            }
        }
        !left.is_empty()
    }

    fn lists_email(&self, email: &str) -> bool {
        self.listed.iter().any(|one| is_email(one) && one.eq_ignore_ascii_case(email))
    }

    /// A listed email address is never a subject: at some providers, people choose theirs.
    fn lists_subject(&self, subject: &str) -> bool {
        !is_email(subject) && self.listed.contains(subject)
    }
}

fn is_email(listed: &str) -> bool {
    listed.contains('@')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_email_counts_if_it_is_verified() {
        let admins = Admins::new(["ada@a.test".to_owned(), "s-1".to_owned()].into());
        let role = |admins: &Admins, claims: Value, subject: &str| {
            admins.role(claims.as_object().unwrap(), subject).map(|granted| granted.claim)
        };
        let email = Some("email".to_owned());
        for verified in [json!(true), json!("true")] {
            let claims = json!({ "email": "Ada@a.test", "email_verified": verified });
            assert_eq!(role(&admins, claims, "s-2"), email);
        }
        for verified in [json!(false), json!("false"), json!(1), json!(null)] {
            let claims = json!({ "email": "ada@a.test", "email_verified": verified });
            assert_eq!(role(&admins, claims, "s-2"), None);
        }
        assert_eq!(role(&admins, json!({}), "s-1"), Some("sub".to_owned()));
        assert_eq!(role(&admins, json!({}), "S-1"), None);
        let posing = json!({ "email": "s-1", "email_verified": true });
        assert_eq!(role(&admins, posing, "s-2"), None);
        for unverified in [json!({}), json!({ "email": "ada@a.test" })] {
            assert_eq!(role(&admins, unverified, "ada@a.test"), None);
        }
    }
}
