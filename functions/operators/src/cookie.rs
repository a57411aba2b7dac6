//! The two cookies: of a sign-in that has started, and of a session.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, header::COOKIE, request::Parts},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use domain::{Error, OperatorId, Result, SessionId};
use lambda::keys::{SealingKey, random};
use ring::digest;
use secrecy::{ExposeSecret, SecretString};
use web::Argument;

use crate::origin::Own;

/// The label of the key that seals a refresh token.
const REFRESH_TOKEN: &[u8] = b"refresh-token\0";

/// Number of random bytes in secrets.
const RANDOM: usize = 32;

/// The cookies of a request.
#[derive(Debug)]
pub(crate) struct Cookies(pub(crate) HeaderMap);

/// Which requests a browser sends a cookie with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SameSite {
    /// Also when a link leads here, as from the identity provider.
    Lax,
    /// Only from our own pages.
    Strict,
}

/// The content of a session's cookie: an operator and the secret of one of its sessions.
pub(crate) struct SessionSecret {
    pub(crate) operator: OperatorId,
    pub(crate) id: SessionId,
    secret: SecretString,
}

impl<S: Send + Sync> FromRequestParts<S> for Cookies {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.headers.clone()))
    }
}

impl Argument for Cookies {}

impl Cookies {
    /// Returns the value of the only cookie with this name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let headers = self.0.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs =
            headers.flat_map(|value| value.split(';')).filter_map(|one| one.split_once('='));
        let mut values = pairs.filter(|(known, _)| known.trim() == name).map(|(_, value)| value);
        values.next().filter(|_| values.next().is_none()).map(str::trim)
    }

    /// Returns the content of the session's cookie.
    pub(crate) fn session(&self, own: &Own) -> Option<SessionSecret> {
        SessionSecret::parse(self.get(&session_name(own))?)
    }
}

impl SessionSecret {
    /// Creates the secret of a new session.
    pub(crate) fn generate(operator: OperatorId) -> Result<Self> {
        Ok(Self::new(operator, random_text()?))
    }

    fn new(operator: OperatorId, secret: String) -> Self {
        let digest = digest::digest(&digest::SHA256, secret.as_bytes());
        let mut half = [0; 16];
        half.copy_from_slice(&digest.as_ref()[..16]);
        Self { operator, id: SessionId::of_digest(half), secret: secret.into() }
    }

    fn parse(value: &str) -> Option<Self> {
        let (operator, secret) = value.split_once('.')?;
        let is_secret = BASE64.decode(secret).is_ok_and(|bytes| bytes.len() == RANDOM);
        is_secret.then(|| Some(Self::new(operator.parse().ok()?, secret.to_owned())))?
    }

    /// Seals a refresh token. Neither the table nor the cookie alone opens it.
    pub(crate) fn seal(&self, token: &SecretString) -> Result<String> {
        let key = SealingKey::derive(&self.secret, REFRESH_TOKEN)?;
        let sealed = key.seal(self.id.as_bytes(), token.expose_secret().as_bytes())?;
        Ok(BASE64.encode(sealed))
    }

    /// Returns a sealed refresh token.
    pub(crate) fn open(&self, sealed: &str) -> Option<SecretString> {
        let key = SealingKey::derive(&self.secret, REFRESH_TOKEN).ok()?;
        let token = key.open(self.id.as_bytes(), &BASE64.decode(sealed).ok()?)?;
        String::from_utf8(token).ok().map(Into::into)
    }

    /// Returns the header that sets the session's cookie.
    pub(crate) fn cookie(&self, own: &Own, lifetime: Duration) -> Result<HeaderValue> {
        let value = format!("{}.{}", self.operator, self.secret.expose_secret());
        set(own, &session_name(own), &value, lifetime, SameSite::Strict)
    }
}

/// Returns a random text of 32 bytes in base64url.
pub(crate) fn random_text() -> Result<String> {
    let mut bytes = [0; RANDOM];
    random(&mut bytes)?;
    Ok(BASE64.encode(bytes))
}

/// Returns the name of a session's cookie.
fn session_name(own: &Own) -> String {
    if own.is_secure() { "__Host-session".to_owned() } else { format!("session-{}", own.port()) }
}

/// Returns the name of the cookie of the sign-in with this state, so that each tab has its own.
pub(crate) fn sign_in_name(own: &Own, state: &str) -> String {
    let start = state.get(..8).unwrap_or(state);
    match own.is_secure() {
        true => format!("__Host-signin-{start}"),
        false => format!("signin-{}-{start}", own.port()),
    }
}

/// Returns the header that sets a cookie.
pub(crate) fn set(
    own: &Own,
    name: &str,
    value: &str,
    age: Duration,
    site: SameSite,
) -> Result<HeaderValue> {
    let secure = if own.is_secure() { "; Secure" } else { "" };
    let age = age.as_secs();
    let cookie =
        format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite={site:?}{secure}");
    HeaderValue::from_str(&cookie).map_err(Error::internal("setting a cookie"))
}

/// Returns the header that removes the session's cookie.
pub(crate) fn without_session(own: &Own) -> Result<HeaderValue> {
    set(own, &session_name(own), "", Duration::ZERO, SameSite::Strict)
}

/// Returns the header that removes the cookie of a sign-in.
pub(crate) fn without_sign_in(own: &Own, state: &str) -> Result<HeaderValue> {
    set(own, &sign_in_name(own, state), "", Duration::ZERO, SameSite::Lax)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookies(headers: &[&str]) -> Cookies {
        let mut map = HeaderMap::new();
        for header in headers {
            map.append(COOKIE, header.parse().unwrap());
        }
        Cookies(map)
    }

    #[test]
    fn a_cookie_is_read_if_there_is_one_of_its_name() {
        let both = cookies(&["a=1; b=2", "c=3"]);
        assert_eq!(
            ["a", "b", "c", "d"].map(|name| both.get(name)),
            [Some("1"), Some("2"), Some("3"), None]
        );
        assert_eq!(cookies(&["a=1; a=2"]).get("a"), None);
        assert_eq!(cookies(&["xa=1"]).get("a"), None);
    }

    #[test]
    fn a_refresh_token_opens_with_the_secret_of_its_session_only() {
        let operator = OperatorId::generate();
        let [one, other] = [(); 2].map(|()| SessionSecret::generate(operator).unwrap());
        let sealed = one.seal(&"token".into()).unwrap();
        assert_eq!(one.open(&sealed).unwrap().expose_secret(), "token");
        assert!(other.open(&sealed).is_none());
        assert!(!sealed.contains("token") && one.id != other.id);
    }

    #[test]
    fn a_malformed_session_cookie_proves_nothing() {
        let secret = SessionSecret::generate(OperatorId::generate()).unwrap();
        let value = format!("{}.{}", secret.operator, secret.secret.expose_secret());
        assert_eq!(SessionSecret::parse(&value).map(|it| it.id), Some(secret.id));
        for bad in ["", ".", &value[1..], &value[..value.len() - 1], &format!("{value}=")] {
            assert!(SessionSecret::parse(bad).is_none(), "{bad}");
        }
    }
}
