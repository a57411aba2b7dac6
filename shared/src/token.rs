//! Bearer tokens: JWTs signed with HS256, and nothing else.

use std::{sync::Arc, time::Duration};

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, TokenData, Validation,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{ErrorKind, Result as JwtResult},
};
use ring::hmac;
use serde::{Deserialize, Serialize};
use signature::{Signer, Verifier};

use crate::{
    Env, Error, Result,
    aws::Aws,
    config::{ConfigError, seconds},
    domain::{LeadId, Permission, Timestamp, UserId},
    keys::KeySet,
};

/// Issues and checks tokens. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tokens(Arc<Settings>);

#[derive(Debug)]
struct Settings {
    keys: KeySet,
    issuer: String,
    lead_expiry: Duration,
}

/// The claims of a token (CONTRACT §2).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claims {
    /// Who bears it.
    pub id: String,
    /// The tenant of the bearer; a lead's own id for a lead.
    pub user_tenant_id: String,
    /// Codes of what the bearer may do.
    pub permissions: Vec<String>,
    /// Who issued it.
    pub iss: String,
    /// When it ends, in seconds since the epoch.
    pub exp: i64,
}

impl Tokens {
    /// Reads `JWT_SECRET` (or `JWT_SECRET_ARN`), `JWT_ISSUER` and `LEAD_TOKEN_EXPIRY` (seconds).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] where one of them is missing or malformed.
    pub async fn from_env(env: &Env, aws: &Aws) -> Result<Self, ConfigError> {
        // A second function in this process finds the provider installed, which is as well.
        let _ = HS256.install_default();
        Ok(Self(Arc::new(Settings {
            keys: KeySet::load(env, aws, "JWT_SECRET").await?,
            issuer: env.required("JWT_ISSUER")?.to_owned(),
            lead_expiry: seconds(env, "LEAD_TOKEN_EXPIRY", 3600)?,
        })))
    }

    /// The token of a lead that has proved its e-mail.
    ///
    /// # Errors
    ///
    /// Where it cannot be signed.
    pub fn for_lead(&self, lead: LeadId, now: Timestamp) -> Result<String> {
        self.sign(&Claims {
            id: lead.to_string(),
            user_tenant_id: lead.to_string(),
            permissions: Permission::OF_A_LEAD.iter().map(|code| (*code).to_owned()).collect(),
            iss: self.0.issuer.clone(),
            exp: (now + self.0.lead_expiry).seconds(),
        })
    }

    /// Signs `claims` with the current key, and names the key in the header.
    ///
    /// # Errors
    ///
    /// Where they cannot be signed.
    pub fn sign(&self, claims: &Claims) -> Result<String> {
        let (kid, key) = self.0.keys.signing();
        let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::HS256) };
        let key = EncodingKey::from_secret(key.as_bytes());
        jsonwebtoken::encode(&header, claims, &key).map_err(Error::aws("signing a token"))
    }

    /// The bearer of `token`.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthorized`] where it is none of ours, or no longer good.
    pub fn bearer(&self, token: &str) -> Result<Bearer> {
        let refused = || Error::Unauthorized("no good bearer token");
        let header = jsonwebtoken::decode_header(token).map_err(|_| refused())?;
        let mut keys = self.0.keys.verifying(header.kid.as_deref());
        let claims = keys.find_map(|key| self.verify(token, key)).ok_or_else(refused)?;
        Ok(Bearer::from(claims))
    }

    fn verify(&self, token: &str, key: &str) -> Option<Claims> {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.leeway = 0;
        rules.validate_nbf = true;
        rules.set_issuer(&[&self.0.issuer]);
        rules.set_required_spec_claims(&["exp", "iss"]);
        let key = DecodingKey::from_secret(key.as_bytes());
        let checked: JwtResult<TokenData<Claims>> = jsonwebtoken::decode(token, &key, &rules);
        checked.ok().map(|data| data.claims)
    }
}

/// Who bears a token.
#[derive(Clone, Debug)]
pub struct Bearer {
    /// Its `id` claim, for the audit.
    pub id: UserId,
    lead: Option<LeadId>,
    permissions: Vec<String>,
}

impl Bearer {
    /// Whether the token grants one of `permissions`.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] where it does not.
    pub fn must_have_one(&self, mut permissions: impl Iterator<Item = Permission>) -> Result<()> {
        let granted = permissions.any(|one| self.permissions.iter().any(|code| one.is(code)));
        granted.then_some(()).ok_or(Error::Forbidden("a permission is missing"))
    }

    /// The lead whose token it is; `None` for an operator.
    #[must_use]
    pub fn lead(&self) -> Option<LeadId> {
        self.lead
    }

    /// Whether the bearer may act on what belongs to `owner`: an operator on everything, a lead on
    /// its own alone.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] where it may not.
    pub fn may_act_on(&self, owner: Option<LeadId>) -> Result<()> {
        match self.lead {
            Some(lead) if owner != Some(lead) => Err(Error::Forbidden("another lead's")),
            _ => Ok(()),
        }
    }

    /// Whether the bearer is an operator.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`] for a lead.
    pub fn must_be_operator(&self) -> Result<()> {
        self.may_act_on(None)
    }
}

impl From<Claims> for Bearer {
    /// A lead's token is the one whose `id` and `userTenantId` are the same id of ours.
    fn from(claims: Claims) -> Self {
        let lead = claims.id.parse().ok().filter(|_| claims.id == claims.user_tenant_id);
        Self { id: claims.id.as_str().into(), lead, permissions: claims.permissions }
    }
}

/// HS256 by ring, which TLS brings along, and no other algorithm: what is not there cannot be
/// confused (RFC 8725 §3.1).
static HS256: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| Ok(Box::new(Hs256::new(*algorithm, key.as_bytes())?)),
    verifier_factory: |algorithm, key| {
        Ok(Box::new(Hs256::new(*algorithm, key.try_get_as_bytes()?)?))
    },
    key_utils: KeyUtils::new_unimplemented(),
};

struct Hs256(hmac::Key);

impl Hs256 {
    fn new(algorithm: Algorithm, secret: &[u8]) -> JwtResult<Self> {
        match algorithm {
            Algorithm::HS256 => Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, secret))),
            _ => Err(ErrorKind::InvalidAlgorithm.into()),
        }
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(hmac::sign(&self.0, message).as_ref().to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        hmac::verify(&self.0, message, signature).map_err(|_| signature::Error::new())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}
