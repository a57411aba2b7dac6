//! The identity provider through which people sign in, as an OpenID Connect client.

pub(crate) mod issuer;
mod jws;
mod token_endpoint;

pub(crate) use token_endpoint::{Granted, TokenFailure};

use std::borrow::Cow;

use axum::{
    body::Body,
    http::{Request, header::AUTHORIZATION},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use domain::{Admins, Error, Grant, GrantedRole, Profile, Result};
use ring::digest;
use schema::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use url::Url;

use crate::failure::{misconfigured, unreachable};
use issuer::Issuer;

/// The maximum length of a subject in bytes (OpenID Connect Core 1.0 §2).
const MAX_SUBJECT: usize = 255;

/// The identity provider and our registration at it.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) issuer: Issuer,
    pub(crate) client_id: String,
    /// `None` for a public client.
    pub(crate) client_secret: Option<SecretString>,
    pub(crate) scopes: String,
    /// The address to sign out at, if the provider publishes none.
    pub(crate) logout_url: Option<Url>,
    pub(crate) emails: EmailTrust,
    pub(crate) grants: Vec<Grant>,
    pub(crate) admins: Admins,
}

/// Which email addresses of the provider count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EmailTrust {
    /// Addresses that the provider has verified.
    Verified,
    /// All addresses (`OIDC_TRUST_EMAIL`).
    All,
}

/// The values that tie an authorization request to its callback.
pub(crate) struct Authorization<'a> {
    pub(crate) state: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) verifier: &'a str,
    pub(crate) redirect_uri: &'a str,
}

/// A person that the provider has identified.
pub(crate) struct Person {
    pub(crate) subject: String,
    pub(crate) profile: Profile,
    /// Whether the provider left groups out because there are too many.
    pub(crate) lacks_groups: bool,
}

impl Provider {
    /// Returns the address at which a person signs in.
    pub(crate) async fn authorize_url(
        &self,
        request: &Authorization<'_>,
        now: Timestamp,
    ) -> Result<Url> {
        const STEP: &str = "starting a sign-in";
        let metadata = self.issuer.metadata(now).await?;
        let endpoint = metadata.authorization_endpoint.clone();
        let endpoint = endpoint.ok_or("no authorization_endpoint").map_err(misconfigured(STEP))?;
        let mut url = endpoint.0;
        let challenge = digest::digest(&digest::SHA256, request.verifier.as_bytes());
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", request.redirect_uri),
            ("scope", &self.scopes),
            ("state", request.state),
            ("nonce", request.nonce),
            ("code_challenge", &BASE64.encode(challenge)),
            ("code_challenge_method", "S256"),
        ]);
        Ok(url)
    }

    /// Checks the `iss` of a callback (RFC 9207).
    pub(crate) async fn check_callback(&self, iss: Option<&str>, now: Timestamp) -> Result<()> {
        let metadata = self.issuer.metadata(now).await?;
        match iss {
            Some(iss) if iss != self.issuer.url => {
                Err(Error::SignInInvalid("iss of the callback is another issuer"))
            }
            None if metadata.authorization_response_iss_parameter_supported => {
                Err(Error::SignInInvalid("the callback has no iss"))
            }
            _ => Ok(()),
        }
    }

    /// Returns the person that the tokens of a sign-in describe.
    pub(crate) async fn person(
        &self,
        granted: &Granted,
        nonce: &str,
        now: Timestamp,
    ) -> Result<Person> {
        let token = granted.id_token.as_ref();
        let token = token.ok_or(Error::SignInInvalid("the provider sent no ID token"))?;
        let claims = self.identified(token, now).await?;
        let sent = claims.get("nonce").and_then(Value::as_str).unwrap_or_default();
        if !crate::same(nonce, sent) {
            return Err(Error::SignInInvalid("the nonce is another one"));
        }
        self.completed(claims, &granted.access_token, now).await
    }

    /// Returns what the tokens of a refresh say about a person. Returns `None` if they say nothing.
    pub(crate) async fn refreshed_person(
        &self,
        granted: &Granted,
        now: Timestamp,
    ) -> Result<Option<Person>> {
        let metadata = self.issuer.metadata(now).await?;
        match (&granted.id_token, &metadata.userinfo_endpoint) {
            (Some(token), _) => {
                let claims = self.identified(token, now).await?;
                self.completed(claims, &granted.access_token, now).await.map(Some)
            }
            (None, Some(endpoint)) => {
                let claims = self.userinfo(&endpoint.0, &granted.access_token).await?;
                self.described(&claims).map(Some)
            }
            (None, None) => Ok(None),
        }
    }

    /// Returns the claims of an ID token that was issued to us (OpenID Connect Core 1.0 §3.1.3.7).
    async fn identified(&self, token: &SecretString, now: Timestamp) -> Result<Map<String, Value>> {
        let claims = self.issuer.verified(token.expose_secret(), now).await?;
        let ours = |value: &Value| value.as_str() == Some(&self.client_id);
        let (addressed, several) = match claims.get("aud") {
            Some(Value::Array(all)) => (all.iter().any(ours), all.len() > 1),
            Some(one) => (ours(one), false),
            None => (false, false),
        };
        let azp = claims.get("azp");
        if !addressed || azp.is_some_and(|azp| !ours(azp)) || several && azp.is_none() {
            return Err(Error::SignInInvalid("the token is for another client"));
        }
        Ok(claims)
    }

    /// Adds the claims of `userinfo` if those of the ID token give no role or no name.
    async fn completed(
        &self,
        mut claims: Map<String, Value>,
        access_token: &SecretString,
        now: Timestamp,
    ) -> Result<Person> {
        let person = self.described(&claims)?;
        let is_complete = !person.profile.roles.is_empty() && claims.contains_key("name");
        let metadata = self.issuer.metadata(now).await?;
        let Some(endpoint) = metadata.userinfo_endpoint.as_ref().filter(|_| !is_complete) else {
            return Ok(person);
        };
        let more = self.userinfo(&endpoint.0, access_token).await?;
        if more.get("sub") != claims.get("sub") {
            return Err(Error::SignInInvalid("userinfo describes another person"));
        }
        for (name, value) in more {
            claims.entry(name).or_insert(value);
        }
        self.described(&claims)
    }

    fn described(&self, claims: &Map<String, Value>) -> Result<Person> {
        let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
        if subject.is_empty() || subject.len() > MAX_SUBJECT {
            return Err(Error::SignInInvalid("sub is missing or too long"));
        }
        let lacks_groups = claims.get("hasgroups") == Some(&Value::Bool(true))
            || claims.get("_claim_names").is_some_and(|names| names["groups"].is_string());
        let profile = Profile::new(claims, subject, self.roles(claims, subject));
        Ok(Person { subject: subject.to_owned(), profile, lacks_groups })
    }

    fn roles(&self, claims: &Map<String, Value>, subject: &str) -> Vec<GrantedRole> {
        let mut claims = Cow::Borrowed(claims);
        if self.emails == EmailTrust::All {
            claims.to_mut().insert("email_verified".to_owned(), true.into());
        }
        let mut roles = Grant::roles(&self.grants, &claims, &self.client_id);
        if let Some(admin) = self.admins.role(&claims, subject)
            && !roles.iter().any(|known| known.role == admin.role)
        {
            roles.push(admin);
        }
        roles
    }

    async fn userinfo(
        &self,
        endpoint: &Url,
        access_token: &SecretString,
    ) -> Result<Map<String, Value>> {
        const STEP: &str = "reading userinfo";
        let bearer = format!("Bearer {}", access_token.expose_secret());
        let request = Request::get(endpoint.as_str()).header(AUTHORIZATION, bearer);
        let request = request.body(Body::empty()).map_err(misconfigured(STEP))?;
        let fetched = self.issuer.client.fetch(request).await.map_err(unreachable(STEP))?;
        match fetched.status.as_u16() {
            200 => serde_json::from_slice(&fetched.body)
                .map_err(|_| misconfigured(STEP)("the response is not a JSON object")),
            status @ 500.. => Err(unreachable(STEP)(format!("the status was {status}"))),
            status => Err(misconfigured(STEP)(format!("the status was {status}"))),
        }
    }

    /// Returns the address that ends the session at the provider, and returns to `home`. Returns
    /// `None` if there is none.
    pub(crate) async fn sign_out_url(&self, home: &str, now: Timestamp) -> Option<Url> {
        if let Some(url) = &self.logout_url {
            return Some(url.clone());
        }
        let mut url = self.issuer.metadata(now).await.ok()?.end_session_endpoint.clone()?.0;
        url.query_pairs_mut()
            .append_pair("client_id", &self.client_id)
            .append_pair("post_logout_redirect_uri", home);
        Some(url)
    }
}
