//! The endpoints and the keys that an identity provider publishes.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{Request, header::ACCEPT},
};
use domain::{Error, Result};
use fetch::Client;
use schema::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use url::Url;

use super::jws::{Jws, Key};
use crate::{
    failure::{misconfigured, unreachable},
    origin::Hosting,
};

/// How long endpoints and keys are kept.
const FRESH: Duration = Duration::from_secs(300);

/// The minimum time between two requests for the keys because of an unknown one, so that forged
/// tokens cause no requests.
const BETWEEN: Duration = Duration::from_secs(30);

/// How long keys are used while the provider does not answer.
const BRIDGED: Duration = Duration::from_secs(3600);

/// The tolerated difference of clocks, in seconds.
const SKEW: f64 = 60.0;

/// An identity provider. Keeps what it has published for five minutes.
#[derive(Debug)]
pub(crate) struct Issuer {
    /// The exact value of `iss`.
    pub(crate) url: String,
    pub(crate) client: Client,
    hosting: Hosting,
    metadata: Mutex<Option<(Timestamp, Arc<Metadata>)>>,
    keys: Mutex<Keys>,
}

/// The published metadata, as far as it is used (OpenID Connect Discovery 1.0 §3).
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Metadata {
    issuer: String,
    pub(crate) authorization_endpoint: Option<Endpoint>,
    pub(crate) token_endpoint: Option<Endpoint>,
    jwks_uri: Endpoint,
    pub(crate) userinfo_endpoint: Option<Endpoint>,
    pub(crate) end_session_endpoint: Option<Endpoint>,
    pub(crate) revocation_endpoint: Option<Endpoint>,
    pub(crate) token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
}

/// The URL of an endpoint.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Endpoint(pub(crate) Url);

impl TryFrom<String> for Endpoint {
    type Error = url::ParseError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Url::parse(&text).map(Self)
    }
}

#[derive(Debug, Default)]
struct Keys {
    fetched: Option<Timestamp>,
    /// When they could not be read again.
    failed: Option<Timestamp>,
    keys: Vec<Key>,
}

impl Issuer {
    pub(crate) fn new(url: &str, client: Client, hosting: Hosting) -> Self {
        let (metadata, keys) = (Mutex::default(), Mutex::default());
        Self { url: url.to_owned(), client, hosting, metadata, keys }
    }

    /// Returns the metadata.
    ///
    /// # Errors
    ///
    /// [`Error::ProviderUnreachable`] or [`Error::ProviderMisconfigured`].
    pub(crate) async fn metadata(&self, now: Timestamp) -> Result<Arc<Metadata>> {
        const STEP: &str = "reading the provider's metadata";
        let mut kept = self.metadata.lock().await;
        if let Some((fetched, metadata)) = &*kept
            && now.since(*fetched) < FRESH
        {
            return Ok(Arc::clone(metadata));
        }
        let address =
            format!("{}/.well-known/openid-configuration", self.url.trim_end_matches('/'));
        let address = Url::parse(&address).map_err(|_| misconfigured(STEP)("no valid address"))?;
        let metadata: Metadata = serde_json::from_value(self.get(STEP, &address).await?)
            .map_err(|_| misconfigured(STEP)("an endpoint is missing or malformed"))?;
        if metadata.issuer != self.url {
            return Err(misconfigured(STEP)("the issuer is not the configured one"));
        }
        if !metadata.endpoints().all(|url| self.hosting.accepts(url)) {
            return Err(misconfigured(STEP)("an endpoint is not https"));
        }
        let metadata = Arc::new(metadata);
        *kept = Some((now, Arc::clone(&metadata)));
        Ok(metadata)
    }

    /// Returns the claims of a token that this provider has signed and that is valid now.
    ///
    /// # Errors
    ///
    /// [`Error::SignInInvalid`] if it is not; [`Error::ProviderUnreachable`] or
    /// [`Error::ProviderMisconfigured`] if the keys cannot be read.
    pub(crate) async fn verified(&self, token: &str, now: Timestamp) -> Result<Map<String, Value>> {
        let jws = Jws::parse(token).filter(Jws::is_supported);
        let jws =
            jws.ok_or(Error::SignInInvalid("the token is malformed or its alg is refused"))?;
        let keys = self.fitting(&jws, now).await?;
        if !keys.iter().any(|key| jws.is_signed_by(key)) {
            return Err(Error::SignInInvalid("no key of the provider has signed the token"));
        }
        let claims = jws.claims;
        if claims.get("iss").and_then(Value::as_str) != Some(self.url.as_str()) {
            return Err(Error::SignInInvalid("iss is another issuer"));
        }
        check_times(&claims, now)?;
        Ok(claims)
    }

    /// Returns the keys that fit a token. Reads the provider's keys if they are old, or if none fits.
    /// Known ones bridge an outage.
    async fn fitting(&self, jws: &Jws<'_>, now: Timestamp) -> Result<Vec<Key>> {
        let mut kept = self.keys.lock().await;
        let fitting =
            |kept: &Keys| kept.keys.iter().filter(|key| jws.fits(key)).cloned().collect::<Vec<_>>();
        let (known, age) = (fitting(&kept), kept.fetched.map(|fetched| now.since(fetched)));
        let most = if known.is_empty() { BETWEEN } else { FRESH };
        if age.is_some_and(|age| age < most) {
            return Ok(known);
        }
        let can_bridge = !known.is_empty() && age.is_some_and(|age| age < BRIDGED);
        if can_bridge && kept.failed.is_some_and(|failed| now.since(failed) < BETWEEN) {
            return Ok(known);
        }
        match self.read_keys(now).await {
            Ok(keys) => {
                *kept = Keys { fetched: Some(now), failed: None, keys };
                Ok(fitting(&kept))
            }
            Err(Error::ProviderUnreachable { .. }) if can_bridge => {
                kept.failed = Some(now);
                Ok(known)
            }
            Err(error) => Err(error),
        }
    }

    /// Reads the provider's keys.
    async fn read_keys(&self, now: Timestamp) -> Result<Vec<Key>> {
        const STEP: &str = "reading the provider's keys";
        let metadata = self.metadata(now).await?;
        let set = self.get(STEP, &metadata.jwks_uri.0).await?;
        Key::all_of(&set).ok_or_else(|| misconfigured(STEP)("no JWK Set"))
    }

    async fn get(&self, step: &'static str, url: &Url) -> Result<Value> {
        if !self.hosting.accepts(url) {
            return Err(misconfigured(step)("the address is not https"));
        }
        let request = Request::get(url.as_str()).header(ACCEPT, "application/json");
        let request = request.body(Body::empty()).map_err(misconfigured(step))?;
        let fetched = self.client.fetch(request).await.map_err(unreachable(step))?;
        match fetched.status.as_u16() {
            200 => serde_json::from_slice(&fetched.body)
                .map_err(|_| misconfigured(step)("the response is not JSON")),
            status @ 500.. => Err(unreachable(step)(format!("the status was {status}"))),
            status => Err(misconfigured(step)(format!("the status was {status}"))),
        }
    }
}

impl Metadata {
    fn endpoints(&self) -> impl Iterator<Item = &Url> {
        let optional = [
            &self.authorization_endpoint,
            &self.token_endpoint,
            &self.userinfo_endpoint,
            &self.end_session_endpoint,
            &self.revocation_endpoint,
        ];
        optional.into_iter().flatten().chain([&self.jwks_uri]).map(|endpoint| &endpoint.0)
    }
}

/// Checks `exp` and `iat`, which are required, and `nbf`.
fn check_times(claims: &Map<String, Value>, now: Timestamp) -> Result<()> {
    let now = Duration::from_millis(now.millis().try_into().unwrap_or(0)).as_secs_f64();
    let time = |name| claims.get(name).and_then(Value::as_f64);
    if time("exp").is_none_or(|exp| now >= exp + SKEW) {
        return Err(Error::SignInInvalid("exp is missing or over"));
    }
    if time("iat").is_none_or(|iat| iat > now + SKEW) {
        return Err(Error::SignInInvalid("iat is missing or in the future"));
    }
    if claims.contains_key("nbf") && time("nbf").is_none_or(|nbf| nbf > now + SKEW) {
        return Err(Error::SignInInvalid("nbf is in the future"));
    }
    Ok(())
}
