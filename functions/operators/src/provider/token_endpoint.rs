//! Requests to the token endpoint (RFC 6749 §4.1.3, §6) and to the one for revocation (RFC 7009).

use std::fmt;

use axum::{
    body::Body,
    http::{
        Request,
        header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
    },
};
use base64::{Engine, prelude::BASE64_STANDARD};
use domain::Error;
use fetch::{FetchError, Fetched};
use schema::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::{Url, form_urlencoded};

use super::{Authorization, Provider};
use crate::failure::{misconfigured, unreachable};

/// The media type of the requests.
const FORM: &str = "application/x-www-form-urlencoded";

/// The tokens of a person.
#[derive(Deserialize)]
#[serde(from = "Sent")]
pub(crate) struct Granted {
    pub(crate) access_token: SecretString,
    pub(crate) id_token: Option<SecretString>,
    pub(crate) refresh_token: Option<SecretString>,
}

#[derive(Deserialize)]
struct Sent {
    access_token: String,
    id_token: Option<String>,
    refresh_token: Option<String>,
}

impl From<Sent> for Granted {
    fn from(Sent { access_token, id_token, refresh_token }: Sent) -> Self {
        Self {
            access_token: access_token.into(),
            id_token: id_token.map(Into::into),
            refresh_token: refresh_token.map(Into::into),
        }
    }
}

/// The reason for which there are no tokens.
#[derive(Debug)]
pub(crate) enum TokenFailure {
    /// The code or the refresh token is not valid, or not any more.
    InvalidGrant,
    /// Anything else.
    Other(Error),
}

/// How the client authenticates.
#[derive(Clone, Copy, PartialEq)]
enum Method {
    Basic,
    Post,
    Public,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    error: String,
}

impl Provider {
    /// Exchanges the code of a callback.
    pub(crate) async fn exchange(
        &self,
        code: &str,
        request: &Authorization<'_>,
        now: Timestamp,
    ) -> Result<Granted, TokenFailure> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", request.redirect_uri),
            ("code_verifier", request.verifier),
        ];
        self.granted("exchanging the code", &form, now).await
    }

    /// Exchanges a refresh token.
    pub(crate) async fn refresh(
        &self,
        token: &SecretString,
        now: Timestamp,
    ) -> Result<Granted, TokenFailure> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token.expose_secret())];
        self.granted("refreshing a session", &form, now).await
    }

    /// Revokes a refresh token if the provider can.
    pub(crate) async fn revoke(&self, token: &SecretString, now: Timestamp) {
        const STEP: &str = "revoking a refresh token";
        let Ok(metadata) = self.issuer.metadata(now).await else { return };
        let Some(endpoint) = metadata.revocation_endpoint.as_ref() else { return };
        let methods = metadata.token_endpoint_auth_methods_supported.as_deref();
        let form = [("token", token.expose_secret()), ("token_type_hint", "refresh_token")];
        let revoked = self.post(STEP, &endpoint.0, methods, &form).await;
        if !revoked.is_ok_and(|fetched| fetched.status.is_success()) {
            tracing::warn!("the provider did not revoke a refresh token");
        }
    }

    async fn granted(
        &self,
        step: &'static str,
        form: &[(&str, &str)],
        now: Timestamp,
    ) -> Result<Granted, TokenFailure> {
        let metadata = self.issuer.metadata(now).await?;
        let endpoint = metadata.token_endpoint.as_ref();
        let endpoint = endpoint.ok_or("no token_endpoint").map_err(misconfigured(step))?;
        let methods = metadata.token_endpoint_auth_methods_supported.as_deref();
        let fetched = self.post(step, &endpoint.0, methods, form).await?;
        let status = fetched.status.as_u16();
        match status {
            200 => {
                let granted = serde_json::from_slice(&fetched.body);
                Ok(granted.map_err(|_| misconfigured(step)("the response has no tokens"))?)
            }
            400..500 => {
                let refusal: Option<Refusal> = serde_json::from_slice(&fetched.body).ok();
                let code = refusal.map(|refusal| refusal.error).unwrap_or_default();
                let is_code = code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
                match code.as_str() {
                    "invalid_grant" => Err(TokenFailure::InvalidGrant),
                    code if is_code => Err(misconfigured(step)(format!("{status} {code}")).into()),
                    _ => Err(misconfigured(step)(format!("the status was {status}")).into()),
                }
            }
            status => Err(unreachable(step)(format!("the status was {status}")).into()),
        }
    }

    /// Sends a form with our authentication. Only a request that has not been sent is repeated,
    /// because a code and some refresh tokens can be used once.
    async fn post(
        &self,
        step: &'static str,
        endpoint: &Url,
        methods: Option<&[String]>,
        form: &[(&str, &str)],
    ) -> Result<Fetched, Error> {
        let request = || self.request(endpoint, methods, form).map_err(misconfigured(step));
        let mut fetched = self.issuer.client.fetch(request()?).await;
        if matches!(fetched, Err(FetchError::NotConnected)) {
            fetched = self.issuer.client.fetch(request()?).await;
        }
        fetched.map_err(unreachable(step))
    }

    fn request(
        &self,
        endpoint: &Url,
        methods: Option<&[String]>,
        form: &[(&str, &str)],
    ) -> axum::http::Result<Request<Body>> {
        let method = self.method(methods);
        let mut fields = form_urlencoded::Serializer::new(String::new());
        fields.extend_pairs(form);
        let mut request = Request::post(endpoint.as_str())
            .header(CONTENT_TYPE, FORM)
            .header(ACCEPT, "application/json");
        let secret = self.client_secret.as_ref().map_or("", SecretString::expose_secret);
        match method {
            Method::Basic => {
                // Both are form-encoded first (RFC 6749 §2.3.1).
                let coded = |text: &str| {
                    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>()
                };
                let pair = format!("{}:{}", coded(&self.client_id), coded(secret));
                let value = format!("Basic {}", BASE64_STANDARD.encode(pair));
                request = request.header(AUTHORIZATION, value);
            }
            Method::Post => {
                fields.append_pair("client_id", &self.client_id);
                fields.append_pair("client_secret", secret);
            }
            Method::Public => drop(fields.append_pair("client_id", &self.client_id)),
        }
        request.body(fields.finish().into())
    }

    /// Returns the method that the provider supports. Without a list, it is Basic (OpenID Connect
    /// Discovery 1.0 §3).
    fn method(&self, methods: Option<&[String]>) -> Method {
        let supports = |name: &str| {
            methods.map_or(name == "client_secret_basic", |all| all.iter().any(|one| one == name))
        };
        match &self.client_secret {
            None => Method::Public,
            Some(_) if !supports("client_secret_basic") && supports("client_secret_post") => {
                Method::Post
            }
            Some(_) => Method::Basic,
        }
    }
}

impl From<Error> for TokenFailure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl fmt::Debug for Granted {
    /// Omits the tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Granted")
    }
}
