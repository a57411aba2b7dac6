//! `GET /auth/sign-in`: sends a person to the identity provider.

use std::time::Duration;

use axum::{
    extract::{RawQuery, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{LOCATION, SET_COOKIE},
    },
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use domain::{Error, Result};
use lambda::keys::{MasterKeys, random};
use schema::Timestamp;
use serde::{Deserialize, Serialize};
use url::{Url, form_urlencoded};

use crate::{
    Operators,
    cookie::{self, Cookies, SameSite},
    origin::Own,
    page,
    provider::Authorization,
};

/// How long a person may take to sign in at the provider.
const PATIENCE: Duration = Duration::from_secs(600);

/// The page to return to, unless another one is named.
const HOME: &str = "/console";

/// The maximum length of the path to return to, in bytes.
const MAX_RETURN: usize = 1024;

/// The path of the callback.
const CALLBACK: &str = "/auth/callback";

/// A sign-in that has started. It is kept in a sealed cookie, not in the table.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SignIn {
    pub(crate) state: String,
    pub(crate) nonce: String,
    verifier: String,
    #[serde(rename = "return")]
    pub(crate) return_to: String,
    ends_on: Timestamp,
}

impl SignIn {
    fn start(return_to: &str, now: Timestamp) -> Result<Self> {
        let mut state = [0; 16];
        random(&mut state)?;
        Ok(Self {
            state: hex::encode(state),
            nonce: cookie::random_text()?,
            verifier: cookie::random_text()?,
            return_to: return_to.to_owned(),
            ends_on: now + PATIENCE,
        })
    }

    /// Returns the sign-in with this state from its cookie.
    ///
    /// # Errors
    ///
    /// [`Error::SignInExpired`] if there is no such cookie or it is too old;
    /// [`Error::SignInInvalid`] if it is of another sign-in.
    pub(crate) fn resume(
        state: &str,
        (cookies, own): (&Cookies, &Own),
        keys: &MasterKeys,
        now: Timestamp,
    ) -> Result<Self> {
        let name = cookie::sign_in_name(own, state);
        let sealed = cookies.get(&name).ok_or(Error::SignInExpired)?;
        let sealed = BASE64.decode(sealed).unwrap_or_default();
        let text = keys.open_sign_in(name.as_bytes(), &sealed).ok_or(Error::SignInExpired)?;
        let sign_in: Self =
            serde_json::from_slice(&text).map_err(Error::internal("reading a sign-in"))?;
        if !crate::same(&sign_in.state, state) {
            return Err(Error::SignInInvalid("the state is another one"));
        }
        if now > sign_in.ends_on {
            return Err(Error::SignInExpired);
        }
        Ok(sign_in)
    }

    fn cookie(&self, own: &Own, keys: &MasterKeys) -> Result<HeaderValue> {
        let name = cookie::sign_in_name(own, &self.state);
        let text = serde_json::to_vec(self).map_err(Error::internal("writing a sign-in"))?;
        let sealed = BASE64.encode(keys.sign_in_key()?.seal(name.as_bytes(), &text)?);
        cookie::set(own, &name, &sealed, PATIENCE, SameSite::Lax)
    }

    /// Returns the request to the provider.
    pub(crate) fn authorization<'a>(&'a self, redirect_uri: &'a str) -> Authorization<'a> {
        let Self { state, nonce, verifier, .. } = self;
        Authorization { state, nonce, verifier, redirect_uri }
    }
}

/// Returns the address to which the provider sends people back.
pub(crate) fn redirect_uri(own: &Own) -> String {
    own.url(CALLBACK)
}

/// `GET /auth/sign-in`.
pub(crate) async fn sign_in(
    State(operators): State<Operators>,
    own: Own,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let started = start(&operators, &own, &query).await;
    started.unwrap_or_else(|error| {
        operators.count_outage(&error, lambda::now());
        page::answer(error.into(), &headers, &operators.app)
    })
}

async fn start(operators: &Operators, own: &Own, query: &str) -> Result<Response> {
    let return_to = return_path(query)?;
    let provider = operators.provider.as_ref().ok_or(Error::SignInNotConfigured)?;
    let now = lambda::now();
    let sign_in = SignIn::start(&return_to, now)?;
    let redirect_uri = redirect_uri(own);
    let url = provider.authorize_url(&sign_in.authorization(&redirect_uri), now).await?;
    let cookie = sign_in.cookie(own, &operators.keys)?;
    Ok((StatusCode::FOUND, [(LOCATION, url.as_str())], [(SET_COOKIE, cookie)]).into_response())
}

/// Returns the path in `return`, which must be one of the console.
fn return_path(query: &str) -> Result<String> {
    let named = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "return");
    let paths: Vec<_> = named.map(|(_, path)| path).filter(|path| !path.is_empty()).collect();
    match paths.as_slice() {
        [] => Ok(HOME.to_owned()),
        [path] if is_of_console(path) => Ok(path.to_string()),
        _ => Err(Error::ReturnInvalid),
    }
}

/// Whether browsers resolve `path` to the console of our own origin.
fn is_of_console(path: &str) -> bool {
    let plain = path.len() <= MAX_RETURN
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let resolved = Url::parse("https://own.invalid").and_then(|own| own.join(path));
    plain
        && path.starts_with(HOME)
        && resolved.is_ok_and(|url| {
            let inside = url.path() == HOME || url.path().starts_with("/console/");
            inside && url.host_str() == Some("own.invalid")
        })
}

#[cfg(test)]
mod tests {
    use axum::http::header::COOKIE;
    use lambda::{Env, aws::Aws};

    use super::*;
    use crate::origin::Hosting;

    #[tokio::test]
    async fn a_sign_in_takes_ten_minutes_at_most() {
        let env: Env = [
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("MASTER_KEYS", "master-key-of-32-bytes-at-least-xx"),
        ]
        .into_iter()
        .collect();
        let keys = MasterKeys::load(&env, &Aws::from_env(&env).unwrap()).await.unwrap();
        let own = Own::new("api.acme.test", Hosting::Https);
        let start = Timestamp::from_millis(1_790_000_000_000);
        let sign_in = SignIn::start("/console", start).unwrap();
        let header = sign_in.cookie(&own, &keys).unwrap();
        let name = cookie::sign_in_name(&own, &sign_in.state);
        let text = header.to_str().unwrap();
        assert!(name.starts_with("__Host-signin-") && text.starts_with(&name));
        assert!(text.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"), "{text}");
        assert!(!text.contains(&sign_in.verifier));
        let pair = text.split(';').next().unwrap();
        let cookies = Cookies([(COOKIE, pair.parse().unwrap())].into_iter().collect());
        let resume = |now| SignIn::resume(&sign_in.state, (&cookies, &own), &keys, now);
        assert_eq!(resume(start + PATIENCE).unwrap().nonce, sign_in.nonce);
        let late = resume(start + PATIENCE + Duration::from_millis(1));
        assert!(matches!(late, Err(Error::SignInExpired)));
    }

    #[test]
    fn a_person_returns_to_the_console_only() {
        for (query, path) in [
            ("", "/console"),
            ("return=", "/console"),
            ("return=/console", "/console"),
            ("return=/console%23tenants", "/console#tenants"),
            ("return=/console?a=b%23c", "/console?a=b#c"),
            ("return=/console/people", "/console/people"),
        ] {
            assert_eq!(return_path(query).unwrap(), path, "{query}");
        }
        for bad in [
            "/",
            "console",
            "/consoles",
            "//evil.example",
            "//evil.example/console",
            "https://evil.example/console",
            "/\\evil.example",
            "/console\\..\\..",
            "/console/../x",
            "/console/%2e%2e/x",
            "/console\n",
            "/console/é",
            "javascript:alert(1)",
            " /console",
        ] {
            let query: String = form_urlencoded::byte_serialize(bad.as_bytes()).collect();
            let read = return_path(&format!("return={query}"));
            assert!(matches!(read, Err(Error::ReturnInvalid)), "{bad}");
        }
        assert!(return_path("return=/console&return=/console").is_err());
        assert!(return_path(&format!("return=/console?{}", "x".repeat(1100))).is_err());
    }
}
