//! `POST /auth/exchange`: a token of a trusted issuer becomes one of ours, as in RFC 8693.

use axum::{
    extract::{FromRequestParts, State},
    http::request::Parts,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use domain::{Error, Grant, GrantedRole, OperatorId, Profile, Result};
use schema::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use web::{Access, Argument, Caller, Failure, Json, KeyBearer};

use crate::{Operators, provider::issuer::Issuer, session::Issued};

/// The maximum length of a token in bytes, before it is decoded to find its issuer.
const TOKEN_LIMIT: usize = 16 * 1024;

/// A trusted issuer, an element of `TOKEN_ISSUERS`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenIssuer {
    pub(crate) issuer: String,
    /// Audiences of which a token must name one.
    #[serde(default)]
    pub(crate) audiences: Vec<String>,
    /// Clients of which one must have got the token. Required for Cognito's access tokens, which
    /// have no audience.
    #[serde(default)]
    pub(crate) clients: Vec<String>,
    #[serde(default)]
    pub(crate) grants: Vec<Grant>,
}

/// A trusted issuer with its keys.
#[derive(Debug)]
pub(crate) struct Trusted {
    pub(crate) rules: TokenIssuer,
    pub(crate) issuer: Issuer,
}

/// The bearer token of another issuer, not verified yet.
pub(crate) struct IssuerBearer(String);

impl<S: Send + Sync> FromRequestParts<S> for IssuerBearer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let KeyBearer(token) = KeyBearer::from_request_parts(parts, state).await?;
        Ok(Self(token))
    }
}

impl Argument for IssuerBearer {
    const ACCESS: Option<Access> = Some(Access::of(Caller::IssuerToken));
}

/// `POST /auth/exchange`.
pub(crate) async fn exchange(
    State(operators): State<Operators>,
    IssuerBearer(token): IssuerBearer,
) -> web::Result<Json<Issued>> {
    let now = lambda::now();
    let issuer = issuer_of(&token).ok_or(Error::Unauthorized("the token names no issuer"))?;
    let trusted = operators.trusted.iter().find(|trusted| trusted.rules.issuer == issuer);
    let trusted = trusted.ok_or(Error::Unauthorized("the token's issuer is not trusted"))?;
    let verified = trusted.issuer.verified(&token, now).await;
    let claims = verified.inspect_err(|error| operators.count_outage(error, now));
    let claims = claims.map_err(|error| match error {
        Error::SignInInvalid(reason) => Error::Unauthorized(reason),
        other => other,
    })?;
    let own_client = operators.provider.as_ref().map(|provider| provider.client_id.as_str());
    trusted.rules.check(&claims, own_client).map_err(Error::Unauthorized)?;
    let (subject, expiry) = identified(&claims).ok_or(Error::Unauthorized("sub or exp is bad"))?;
    let roles = trusted.rules.roles(&claims);
    if roles.is_empty() {
        return Err(Error::NoRole.into());
    }
    let id = OperatorId::for_subject(&issuer, subject);
    operators.store.must_be_enabled(id).await?;
    let profile = Profile::new(&claims, subject, roles);
    if expiry <= now {
        return Err(Error::Unauthorized("the token expires now").into());
    }
    Ok(Json(operators.issue(id, None, profile, expiry, now)?))
}

impl TokenIssuer {
    /// Checks that the token is an access token for us. ID tokens are refused: they are for the
    /// client that a person signs in to, and the owner of any such client could use them here.
    fn check(
        &self,
        claims: &Map<String, Value>,
        own_client: Option<&str>,
    ) -> Result<(), &'static str> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let only_in_id_tokens = ["nonce", "at_hash", "c_hash"];
        if only_in_id_tokens.iter().any(|name| claims.contains_key(*name))
            || text("token_use") == Some("id")
            || text("typ") == Some("ID")
        {
            return Err("the token is an ID token");
        }
        let audiences: Vec<_> = match claims.get("aud") {
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(one)) => vec![one],
            _ => Vec::new(),
        };
        if own_client.is_some_and(|client| audiences.contains(&client)) {
            return Err("the token is for the client of our own sign-in");
        }
        if !self.clients.is_empty() && self.known_client(claims).is_none() {
            return Err("the token was issued to another client");
        }
        let for_us = audiences.iter().any(|one| self.audiences.iter().any(|known| known == one));
        let of_cognito =
            audiences.is_empty() && text("token_use") == Some("access") && !self.clients.is_empty();
        match for_us || of_cognito {
            true => Ok(()),
            false => Err("the token is for another audience"),
        }
    }

    /// Returns the roles of the bearer. Roles that a client defines count only if the client is a
    /// known one: the owner of any other could give them to every user.
    fn roles(&self, claims: &Map<String, Value>) -> Vec<GrantedRole> {
        Grant::roles(&self.grants, claims, self.known_client(claims).unwrap_or_default())
    }

    /// Returns the client that a token was issued to, if it is one of ours.
    fn known_client<'c>(&self, claims: &'c Map<String, Value>) -> Option<&'c str> {
        client_of(claims).filter(|client| self.clients.iter().any(|known| known == client))
    }
}

/// Returns the client that a token was issued to, by the names that providers use. `cid` is Okta's.
fn client_of(claims: &Map<String, Value>) -> Option<&str> {
    ["client_id", "azp", "appid", "cid"].into_iter().find_map(|name| claims.get(name)?.as_str())
}

/// Returns the subject and the expiry.
fn identified(claims: &Map<String, Value>) -> Option<(&str, Timestamp)> {
    let subject = claims.get("sub")?.as_str().filter(|sub| (1..=255).contains(&sub.len()))?;
    let expiry = claims.get("exp")?.as_f64().filter(|exp| (0.0..1e11).contains(exp))?;
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    Some((subject, Timestamp::from_millis(expiry.floor() as i64 * 1000)))
}

/// Returns the issuer that a token claims, to find the one that verifies it.
fn issuer_of(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claimed {
        iss: String,
    }
    let claims = token.split('.').nth(1).filter(|_| token.len() <= TOKEN_LIMIT)?;
    let claimed: Claimed = serde_json::from_slice(&BASE64.decode(claims).ok()?).ok()?;
    Some(claimed.iss)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_access_token_is_for_our_audience_and_a_known_client() {
        let rules = |audiences: &[&str], clients: &[&str]| TokenIssuer {
            issuer: "https://id.test".to_owned(),
            audiences: audiences.iter().map(ToString::to_string).collect(),
            clients: clients.iter().map(ToString::to_string).collect(),
            grants: Vec::new(),
        };
        let check = |rules: &TokenIssuer, claims: Value| {
            rules.check(claims.as_object().unwrap(), Some("console")).is_ok()
        };
        let api = rules(&["api"], &[]);
        assert!(check(&api, json!({ "aud": "api" })));
        assert!(check(&api, json!({ "aud": ["other", "api"], "typ": "Bearer" })));
        for claims in [
            json!({}),
            json!({ "aud": "API" }),
            json!({ "aud": ["api", "console"] }),
            json!({ "aud": "api", "nonce": "n" }),
            json!({ "aud": "api", "at_hash": "h" }),
            json!({ "aud": "api", "typ": "ID" }),
            json!({ "token_use": "access", "client_id": "m2m" }),
        ] {
            assert!(!check(&api, claims.clone()), "{claims}");
        }
        let cognito = rules(&[], &["m2m"]);
        assert!(check(&cognito, json!({ "token_use": "access", "client_id": "m2m" })));
        for claims in [
            json!({ "token_use": "id", "aud": "m2m" }),
            json!({ "token_use": "access", "client_id": "other" }),
            json!({ "client_id": "m2m" }),
        ] {
            assert!(!check(&cognito, claims.clone()), "{claims}");
        }
        let both = rules(&["api"], &["m2m"]);
        assert!(check(&both, json!({ "aud": "api", "azp": "m2m" })));
        assert!(!check(&both, json!({ "aud": "api", "azp": "other" })));
        assert!(check(&both, json!({ "aud": "api", "cid": "m2m" })));
        assert!(!check(&both, json!({ "aud": "api", "cid": "other" })));
    }

    #[test]
    fn roles_of_a_client_count_only_if_it_is_known() {
        let rules = |clients: &[&str]| TokenIssuer {
            issuer: "https://id.test".to_owned(),
            audiences: vec!["api".to_owned()],
            clients: clients.iter().map(ToString::to_string).collect(),
            grants: vec![Grant::of_value("admin", "admin"), Grant::of_value("viewer", "viewer")],
        };
        let claims = json!({
            "aud": ["api", "wiki"], "azp": "wiki", "realm_access": { "roles": ["viewer"] },
            "resource_access": { "wiki": { "roles": ["admin"] }, "": { "roles": ["admin"] } },
        });
        for (clients, expected) in [
            (&[][..], &["viewer"][..]),
            (&["console"], &["viewer"]),
            (&["console", "wiki"], &["admin", "viewer"]),
        ] {
            let roles = rules(clients).roles(claims.as_object().unwrap());
            let names: Vec<_> = roles.iter().map(|granted| granted.role.as_str()).collect();
            assert_eq!(names, expected, "{clients:?}");
        }
    }
}
