use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::claims;
use crate::Permission;

/// Permissions of every role that sees data.
const VIEW: [u16; 7] = [10203, 10207, 10211, 10215, 10221, 7004, 7008];

/// Permissions that `support` has besides [`VIEW`].
const SUPPORT: [u16; 11] =
    [10204, 10205, 10208, 10209, 10210, 10216, 10217, 10220, 10222, 10223, 10320];

/// Permissions that `billing` has besides [`VIEW`].
const BILLING: [u16; 7] = [10212, 10213, 10214, 10216, 7001, 7002, 7003];

/// Permissions that `catalog` has besides [`VIEW`].
const CATALOG: [u16; 3] = [7005, 7006, 7007];

/// Permissions of `auditor`.
const AUDITOR: [u16; 3] = [10300, 10310, 10311];

/// The maximum length of a role's name, in bytes.
const MAX_NAME: usize = 64;

/// The roles of operators, with their permissions. Six are built in; a configuration can add more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roles(BTreeMap<String, BTreeSet<u16>>);

/// A rule that gives a role to every operator with a value in a claim.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The claim. `None` for the claims in which providers usually put groups and roles.
    #[serde(default)]
    claim: Option<String>,
    value: String,
    role: String,
}

/// A role and the claim that gave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantedRole {
    /// The role.
    pub role: String,
    /// The claim.
    pub claim: String,
    /// The value of the claim. `None` if it is an email address.
    #[serde(default)]
    pub value: Option<String>,
}

impl Roles {
    /// The name of the role with every permission.
    pub const ADMIN: &'static str = "admin";

    /// Returns the built-in roles and `own`, each a list of built-in roles and permission codes.
    ///
    /// # Errors
    ///
    /// A rule that `own` violates.
    pub fn new(own: &BTreeMap<String, Vec<String>>) -> Result<Self, String> {
        let built_in = Self::built_in();
        let mut roles = built_in.clone();
        for (name, parts) in own {
            if name.is_empty() || name.len() > MAX_NAME || built_in.contains_key(name) {
                return Err(format!(
                    "must name roles with 1 to {MAX_NAME} bytes and not like built-in ones"
                ));
            }
            let mut permissions = BTreeSet::new();
            for part in parts {
                match (built_in.get(part), part.parse()) {
                    (Some(role), _) => permissions.extend(role),
                    (None, Ok(code)) => drop(permissions.insert(code)),
                    (None, Err(_)) => {
                        return Err("must define roles by built-in roles and codes".to_owned());
                    }
                }
            }
            roles.insert(name.clone(), permissions);
        }
        Ok(Self(roles))
    }

    fn built_in() -> BTreeMap<String, BTreeSet<u16>> {
        let viewing = |more: &[u16]| VIEW.iter().chain(more).copied().collect::<BTreeSet<_>>();
        let all = Permission::ALL.iter().copied();
        [
            ("viewer", viewing(&[])),
            ("support", viewing(&SUPPORT)),
            ("billing", viewing(&BILLING)),
            ("catalog", viewing(&CATALOG)),
            ("auditor", AUDITOR.into()),
            (Self::ADMIN, all.collect()),
        ]
        .map(|(name, permissions)| (name.to_owned(), permissions))
        .into()
    }

    /// Checks that each of `grants` gives a role that exists.
    ///
    /// # Errors
    ///
    /// The violated rule.
    pub fn check(&self, grants: &[Grant]) -> Result<(), String> {
        let known = |grant: &Grant| self.0.contains_key(&grant.role);
        let named = |grant: &Grant| !grant.value.is_empty() && grant.claim.as_deref() != Some("");
        match grants.iter().all(|grant| known(grant) && named(grant)) {
            true => Ok(()),
            false => Err("must grant roles that exist, each for a value of a claim".to_owned()),
        }
    }

    /// Returns the names of the roles.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Returns the permissions of `roles` together. A role that no longer exists gives none.
    #[must_use]
    pub fn permissions(&self, roles: &[String]) -> Vec<u16> {
        let granted = roles.iter().filter_map(|role| self.0.get(role)).flatten();
        granted.copied().collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Returns whether `roles` allow to enable operators again.
    #[must_use]
    pub fn may_change_operators(&self, roles: &[String]) -> bool {
        self.permissions(roles).contains(&10301)
    }
}

impl Grant {
    /// Creates a grant for a `value` of the usual claims.
    #[must_use]
    pub fn of_value(value: &str, role: &str) -> Self {
        Self { claim: None, value: value.to_owned(), role: role.to_owned() }
    }

    /// Returns the roles that `grants` give to the bearer of `claims`, each with the first claim that
    /// gives it. `client` is the client whose roles count, or empty if there is none.
    #[must_use]
    pub fn roles(grants: &[Self], claims: &Map<String, Value>, client: &str) -> Vec<GrantedRole> {
        let mut granted: Vec<GrantedRole> = Vec::new();
        for grant in grants {
            if granted.iter().any(|known| known.role == grant.role) {
                continue;
            }
            if let Some(path) = grant.matching(claims, client) {
                let claim = path.replace("{client}", client);
                let role = grant.role.clone();
                let value = (path != claims::EMAIL).then(|| grant.value.clone());
                granted.push(GrantedRole { role, claim, value });
            }
        }
        granted
    }

    /// Returns the claims that `grants` look at.
    #[must_use]
    pub fn claims(grants: &[Self]) -> BTreeSet<&str> {
        grants.iter().flat_map(Self::paths).collect()
    }

    /// Returns the claim that has the value.
    fn matching(&self, claims: &Map<String, Value>, client: &str) -> Option<&str> {
        self.paths().into_iter().find(|path| claims::has(claims, path, client, &self.value))
    }

    fn paths(&self) -> Vec<&str> {
        match &self.claim {
            Some(claim) => vec![claim],
            None => claims::USUAL.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn grants(text: &Value) -> Vec<Grant> {
        serde_json::from_value(text.clone()).unwrap()
    }

    #[test]
    fn own_roles_consist_of_built_in_roles_and_codes() {
        let own = |parts: &[&str]| {
            let parts = parts.iter().map(ToString::to_string).collect();
            Roles::new(&[("ops".to_owned(), parts)].into())
        };
        let ops = own(&["viewer", "10216"]).unwrap().permissions(&["ops".to_owned()]);
        assert_eq!(ops, [7004, 7008, 10203, 10207, 10211, 10215, 10216, 10221]);
        for bad in ["ops", "Viewer", "", "-1", "70000", "1.5"] {
            assert!(own(&[bad]).is_err(), "{bad}");
        }
        assert!(Roles::new(&[("viewer".to_owned(), Vec::new())].into()).is_err());
    }

    #[test]
    fn nothing_is_granted_without_a_grant() {
        let claims = json!({ "roles": ["admin"], "permissions": ["10207"], "scope": "admin" });
        let claims = claims.as_object().unwrap();
        assert_eq!(Grant::roles(&[], claims, "client"), []);
        let other = grants(&json!([{ "claim": "groups", "value": "admin", "role": "admin" }]));
        assert_eq!(Grant::roles(&other, claims, "client"), []);
        let usual = grants(&json!([{ "value": "admin", "role": "viewer" }]));
        let granted = Grant::roles(&usual, claims, "client");
        assert_eq!((granted[0].role.as_str(), granted[0].claim.as_str()), ("viewer", "roles"));
    }

    #[test]
    fn a_grant_to_an_email_address_needs_a_verified_one_and_does_not_keep_it() {
        let rules =
            grants(&json!([{ "claim": "email", "value": "ada@a.test", "role": "support" }]));
        let roles = |verified: Value| {
            let claims = json!({ "email": "ada@a.test", "email_verified": verified });
            Grant::roles(&rules, claims.as_object().unwrap(), "client")
        };
        let (role, claim) = ("support".to_owned(), "email".to_owned());
        assert_eq!(roles(json!(true)), [GrantedRole { role, claim, value: None }]);
        for unverified in [json!(false), json!("no"), json!(null)] {
            assert_eq!(roles(unverified), []);
        }
    }

    #[test]
    fn a_grant_of_an_unknown_role_is_refused() {
        let roles = Roles::new(&BTreeMap::new()).unwrap();
        for (grant, good) in [
            (json!({ "value": "ops", "role": "support" }), true),
            (json!({ "value": "ops", "role": "Support" }), false),
            (json!({ "value": "", "role": "support" }), false),
            (json!({ "claim": "", "value": "ops", "role": "support" }), false),
        ] {
            assert_eq!(roles.check(&grants(&json!([grant]))).is_ok(), good, "{grant}");
        }
    }

    proptest! {
        /// Permissions are the union of the matched roles and nothing else, for random claims and
        /// grants.
        #[test]
        fn permissions_are_the_union_of_the_granted_roles(
            groups in proptest::collection::vec("[a-d]{1,2}", 0..6),
            rules in proptest::collection::vec(("[a-d]{1,2}", 0_usize..6), 0..6),
        ) {
            let roles = Roles::new(&BTreeMap::new()).unwrap();
            let names: Vec<_> = roles.names().map(str::to_owned).collect();
            let rules: Vec<_> =
                rules.iter().map(|(value, role)| Grant::of_value(value, &names[*role])).collect();
            let claims = json!({ "groups": groups, "permissions": [10301, "10301"] });
            let granted = Grant::roles(&rules, claims.as_object().unwrap(), "client");
            let granted: Vec<_> = granted.into_iter().map(|granted| granted.role).collect();
            let mut expected = BTreeSet::new();
            for rule in rules.iter().filter(|rule| groups.contains(&rule.value)) {
                expected.extend(roles.0[&rule.role].iter().copied());
            }
            prop_assert_eq!(roles.permissions(&granted), expected.into_iter().collect::<Vec<_>>());
        }
    }
}
