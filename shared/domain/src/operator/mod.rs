mod admins;
mod claims;
mod role;
mod session;

pub use admins::Admins;
pub use role::{Grant, GrantedRole, Roles};
pub use session::{Session, SessionView};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Audit, Entity, OperatorId, Result, UserId, entities, entity::wire_of, permit};
use filter::Schema;
use schema::{Timestamp, body};

/// The maximum length of a name, an email address and a subject, in characters.
const MAX_TEXT: usize = 255;

/// A person that has signed in through the identity provider of operators.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operator {
    /// The operator's ID, which follows from issuer and subject.
    pub id: OperatorId,
    /// The identity provider.
    pub issuer: String,
    /// The person's ID at the identity provider.
    pub subject: String,
    /// The person, as of the latest check at the identity provider.
    #[serde(flatten)]
    pub profile: Profile,
    /// The time of the latest sign-in.
    pub last_sign_in_on: Timestamp,
    /// Whether the person may not sign in.
    pub disabled: bool,
    /// The audit fields.
    #[serde(flatten)]
    pub audit: Audit,
}

/// A person, as an identity provider describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// The person's name, or the subject if the provider tells none.
    pub name: String,
    /// The email address, as the provider writes it.
    pub email: Option<String>,
    /// The roles, sorted.
    pub roles: Vec<String>,
    /// The claim that gave each role.
    pub reasons: Vec<GrantedRole>,
}

/// An operator on the wire.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperatorView<'a> {
    id: OperatorId,
    issuer: &'a str,
    subject: &'a str,
    #[serde(flatten)]
    profile: &'a Profile,
    last_sign_in_on: Timestamp,
    disabled: bool,
    #[serde(flatten)]
    audit: &'a Audit,
}

body! {
    /// The body of `PATCH /operators/{id}`.
    #[derive(Clone, Copy, Debug)]
    pub struct OperatorChange {
        /// Whether the person may not sign in.
        pub disabled: bool,
    }
}

impl Entity for Operator {
    const SCHEMA: &'static Schema = &entities::OPERATOR;
    type View = permit::ViewOperator;

    fn audit(&self) -> &Audit {
        &self.audit
    }

    fn wire(&self) -> Result<Map<String, Value>> {
        let Self { id, issuer, subject, profile, last_sign_in_on, disabled, audit } = self;
        let (id, last_sign_in_on, disabled) = (*id, *last_sign_in_on, *disabled);
        wire_of(&OperatorView { id, issuer, subject, profile, last_sign_in_on, disabled, audit })
    }
}

impl Operator {
    /// Returns the operator that signs in at `now`. An operator that exists keeps its ID and its
    /// creation.
    #[must_use]
    pub fn signed_in(
        id: OperatorId,
        (issuer, subject): (&str, &str),
        profile: Profile,
        now: Timestamp,
    ) -> Self {
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        let audit = Audit::created(now, &UserId::from(id.to_string().as_str()));
        Self { id, issuer, subject, profile, last_sign_in_on: now, disabled: false, audit }
    }
}

impl Profile {
    /// Reads the profile from `claims`. Control characters are removed, and texts are cut to 255
    /// characters.
    #[must_use]
    pub fn new(claims: &Map<String, Value>, subject: &str, reasons: Vec<GrantedRole>) -> Self {
        let text = |name| claims::text(claims, name).map(shown).filter(|text| !text.is_empty());
        let name = ["name", "preferred_username", "email"].into_iter().find_map(text);
        let mut roles: Vec<_> = reasons.iter().map(|reason| reason.role.clone()).collect();
        roles.sort_unstable();
        roles.dedup();
        let name = name.unwrap_or_else(|| shown(subject));
        Self { name, email: text("email"), roles, reasons }
    }
}

/// Returns `text` on one line, of at most 255 characters.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_profile_has_a_name_and_sorted_roles() {
        let reason =
            |role: &str| GrantedRole { role: role.into(), claim: "groups".into(), value: None };
        let profile = |claims: Value| {
            let claims = claims.as_object().cloned().unwrap();
            Profile::new(&claims, "s-1", vec![reason("viewer"), reason("admin"), reason("viewer")])
        };
        let ada = profile(json!({ "name": " Ada\n", "email": "ada@a.test" }));
        assert_eq!((ada.name.as_str(), ada.email.as_deref()), ("Ada", Some("ada@a.test")));
        assert_eq!(ada.roles, ["admin", "viewer"]);
        assert_eq!(profile(json!({ "name": "", "preferred_username": "ada" })).name, "ada");
        assert_eq!(profile(json!({ "name": 1 })).name, "s-1");
        assert_eq!(profile(json!({ "name": "x".repeat(300) })).name.len(), MAX_TEXT);
    }
}
