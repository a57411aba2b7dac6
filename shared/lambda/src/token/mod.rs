//! Bearer tokens: JWTs signed with HS256.
//!
//! Facades sign tokens for operators; Tenantry signs tokens for leads. Only the `typ` in a token's
//! header tells them apart. Equal IDs have no meaning.

mod bearer;
mod claims;
mod hs256;

use std::{sync::Arc, time::Duration};

pub use bearer::Bearer;
use claims::{Claims, Header, LEAD_TYPE, Signed, SignedOperator};
use hs256::HS256;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, TokenData, Validation};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    Env,
    aws::Aws,
    config::{ConfigError, seconds},
    keys::KeySet,
    trace,
};
use domain::{Error, LeadId, OperatorId, Permission, Result, SessionId, UserId, Via};
use schema::Timestamp;

/// The maximum length of a token in bytes. A longer one is refused before it is parsed.
const TOKEN_LIMIT: usize = 8 * 1024;

/// Issues and checks tokens. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tokens(Arc<Settings>);

/// The operator that a token is signed for.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// The operator.
    pub id: OperatorId,
    /// The session. `None` for a machine.
    pub session: Option<SessionId>,
    /// The name, for pages.
    pub name: &'a str,
    /// The names of the roles.
    pub roles: &'a [String],
    /// The permissions of the roles.
    pub permissions: &'a [u16],
    /// When the token is issued.
    pub issued: Timestamp,
    /// When the token expires.
    pub expiry: Timestamp,
}

#[derive(Debug)]
struct Settings {
    keys: KeySet,
    issuer: String,
    audience: Option<String>,
    lead_expiry: Duration,
    system: UserId,
}

impl Tokens {
    /// Reads `JWT_SECRET` (or `JWT_SECRET_ARN`), `JWT_ISSUER`, `JWT_AUDIENCE`, `LEAD_TOKEN_EXPIRY`
    /// (seconds) and `SYSTEM_USER_ID`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if one of them is missing or malformed, or a key is too short.
    pub async fn from_env(env: &Env, aws: &Aws) -> Result<Self, ConfigError> {
        // Fails if another function in this process has already installed it, which is fine.
        let _ = HS256.install_default();
        Ok(Self(Arc::new(Settings {
            keys: KeySet::load(env, aws, "JWT_SECRET").await?,
            issuer: env.required("JWT_ISSUER")?.to_owned(),
            audience: env.get("JWT_AUDIENCE").map(str::to_owned),
            lead_expiry: seconds(env, "LEAD_TOKEN_EXPIRY", 3600)?,
            system: env.required("SYSTEM_USER_ID")?.into(),
        })))
    }

    /// Signs a token for a lead whose email is verified.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the token cannot be signed.
    pub fn for_lead(&self, lead: LeadId, now: Timestamp) -> Result<String> {
        let permissions = Permission::LEAD.iter().map(|code| (*code).to_owned()).collect();
        let id = lead.to_string();
        self.sign(LEAD_TYPE, &self.claims(id.clone(), id, permissions, now + self.0.lead_expiry))
    }

    /// Signs a token for an operator with these `permissions`, as a facade does.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the token cannot be signed.
    pub fn for_operator(&self, id: &str, permissions: &[u16], expiry: Timestamp) -> Result<String> {
        let permissions = permissions.iter().map(ToString::to_string).collect();
        self.sign("JWT", &self.claims(id.to_owned(), "tenantry".to_owned(), permissions, expiry))
    }

    /// Signs a token for an operator that signed in or exchanged a token.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the token cannot be signed.
    pub fn for_identity(&self, identity: &Identity<'_>) -> Result<String> {
        let Identity { id, session, name, roles, permissions, issued, expiry } = *identity;
        let permissions = permissions.iter().map(ToString::to_string).collect();
        let iat = issued.seconds();
        let operator = Some(SignedOperator { name, roles, sid: session, iat });
        let claims = self.claims(id.to_string(), self.0.issuer.clone(), permissions, expiry);
        self.sign("JWT", &Signed { operator, ..claims })
    }

    fn claims(
        &self,
        id: String,
        user_tenant_id: String,
        permissions: Vec<String>,
        expiry: Timestamp,
    ) -> Signed<'_> {
        let (iss, aud) = (self.0.issuer.as_str(), self.0.audience.as_deref());
        Signed { id, user_tenant_id, permissions, iss, aud, exp: expiry.seconds(), operator: None }
    }

    /// Signs `claims` with the current key and names the key in the header.
    fn sign(&self, typ: &str, claims: &Signed<'_>) -> Result<String> {
        let (kid, key) = self.0.keys.signing();
        let mut header = jsonwebtoken::Header::new(Algorithm::HS256);
        header.typ = Some(typ.to_owned());
        header.kid = Some(kid.to_owned());
        let key = EncodingKey::from_secret(key.expose_secret().as_bytes());
        jsonwebtoken::encode(&header, claims, &key).map_err(Error::internal("signing a token"))
    }

    /// Returns the bearer of `token`, and records the kind of caller for the audit log.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthorized`] if the token is malformed, was not signed with one of the keys, or
    /// has an invalid header or claim.
    pub fn bearer(&self, token: &str) -> Result<Bearer> {
        let read = self.read(token, crate::now());
        let bearer = read.ok_or(Error::Unauthorized("the bearer token is not valid"))?;
        match bearer.session() {
            _ if bearer.lead().is_some() => trace::called_by(Via::Lead),
            _ if bearer.is_machine() => trace::called_by_machine(),
            Some(_) => trace::called_by(Via::Console),
            None => trace::called_by(Via::Api),
        }
        Ok(bearer)
    }

    fn read(&self, token: &str, now: Timestamp) -> Option<Bearer> {
        if token.len() > TOKEN_LIMIT {
            return None;
        }
        let header = Header::of(token)?;
        let kind = header.kind()?;
        let mut keys = self.0.keys.verifying(header.kid.as_deref());
        let claims = keys.find_map(|key| verified(token, key))?;
        let holds = claims.hold(&self.0.issuer, self.0.audience.as_deref(), now);
        holds.then(|| Bearer::new(kind, claims, &self.0.system))?
    }
}

/// Returns the claims of `token` if it is signed with `key`.
///
/// The library checks algorithm and signature only. The claims are checked by [`Claims::hold`],
/// because the library accepts an array as `iss` and refuses an `aud` if none is expected.
fn verified(token: &str, key: &SecretString) -> Option<Claims> {
    let mut rules = Validation::new(Algorithm::HS256);
    rules.required_spec_claims.clear();
    rules.validate_exp = false;
    rules.validate_aud = false;
    let key = DecodingKey::from_secret(key.expose_secret().as_bytes());
    let checked: jsonwebtoken::errors::Result<TokenData<Claims>> =
        jsonwebtoken::decode(token, &key, &rules);
    checked.ok().map(|data| data.claims)
}
