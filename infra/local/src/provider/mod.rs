//! An identity provider under `/_local/idp`, so that operators can sign in without one of their own.
//!
//! Four people can sign in with one click. The provider has one public client, for the
//! authorization code flow with PKCE. Its keys and codes are kept in memory.

mod authorize;
mod codes;
mod key;
mod parameters;
mod people;
mod token;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State as Shared,
    routing::{get, post},
};
use serde_json::{Value, json};
use url::{Host, Url};

use codes::Codes;
use key::Key;
use people::PEOPLE;

/// The path of the provider.
const PATH: &str = "/_local/idp";

/// The ID of the provider's only client.
const CLIENT: &str = "tenantry-local";

/// The path that signing in returns to.
const CALLBACK: &str = "/auth/callback";

/// The provider's address, signing key and issued codes.
#[derive(Debug)]
pub(crate) struct Provider {
    issuer: String,
    key: Key,
    codes: Codes,
}

impl Provider {
    /// Creates the provider of the process at `own_url`, with a new key.
    pub(crate) fn new(own_url: &str) -> Result<Self, String> {
        Ok(Self { issuer: issuer(own_url), key: Key::new()?, codes: Codes::default() })
    }

    /// Returns the router of the provider's endpoints.
    pub(crate) fn router(self) -> Router {
        let path = |rest: &str| format!("{PATH}/{rest}");
        Router::new()
            .route(&path(".well-known/openid-configuration"), get(discovery))
            .route(&path("keys"), get(keys))
            .route(&path("authorize"), get(authorize::authorize))
            .route(&path("token"), post(token::token))
            .with_state(Arc::new(self))
    }
}

/// Returns the variables that let operators sign in with this provider, one role for each of its
/// groups.
pub(crate) fn variables(own_url: &str) -> [(&'static str, String); 4] {
    let granted = PEOPLE.iter().filter_map(|person| person.role.zip(person.group()));
    let grants =
        granted.map(|(role, group)| json!({ "claim": "groups", "value": group, "role": role }));
    let roles = json!({ "grants": grants.collect::<Vec<_>>() });
    [
        ("OIDC_ISSUER", issuer(own_url)),
        ("OIDC_CLIENT_ID", CLIENT.to_owned()),
        ("OIDC_NAME", "the local provider".to_owned()),
        ("OPERATOR_ROLES", roles.to_string()),
    ]
}

fn issuer(own_url: &str) -> String {
    format!("{own_url}{PATH}")
}

/// `GET /.well-known/openid-configuration`:
/// <https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata>.
async fn discovery(Shared(provider): Shared<Arc<Provider>>) -> Json<Value> {
    let url = |rest: &str| format!("{}/{rest}", provider.issuer);
    Json(json!({
        "issuer": provider.issuer,
        "authorization_endpoint": url("authorize"),
        "token_endpoint": url("token"),
        "jwks_uri": url("keys"),
        "scopes_supported": ["openid", "profile", "email"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": ["sub", "name", "email", "email_verified", "groups"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

/// `GET /keys`: the public key.
async fn keys(Shared(provider): Shared<Arc<Provider>>) -> Json<Value> {
    Json(provider.key.set())
}

/// Returns whether signing in may return to `uri`: the callback on this machine, at any port,
/// because forwarded ports have other numbers (RFC 8252 §7.3).
fn is_callback(uri: &str) -> bool {
    let Ok(url) = Url::parse(uri) else { return false };
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address == std::net::Ipv4Addr::LOCALHOST,
        Some(Host::Ipv6(address)) => address == std::net::Ipv6Addr::LOCALHOST,
        None => false,
    };
    let is_plain = url.query().is_none() && url.fragment().is_none();
    let is_anonymous = url.username().is_empty() && url.password().is_none();
    is_here && is_plain && is_anonymous && url.scheme() == "http" && url.path() == CALLBACK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_returns_to_the_callback_on_this_machine_only() {
        let hosts = ["127.0.0.1:3000", "localhost:8080", "[::1]:3000", "localhost"];
        for host in hosts {
            assert!(is_callback(&format!("http://{host}/auth/callback")), "{host}");
        }
        let others = [
            "",
            "/auth/callback",
            "https://127.0.0.1:3000/auth/callback",
            "http://127.0.0.1:3000/auth/callback/",
            "http://127.0.0.1:3000/auth/callback/..",
            "http://127.0.0.1:3000/console",
            "http://127.0.0.1:3000/auth/callback?next=x",
            "http://127.0.0.1:3000/auth/callback#x",
            "http://eve@127.0.0.1:3000/auth/callback",
            "http://evil.test/auth/callback",
            "http://127.0.0.1.evil.test/auth/callback",
            "http://10.0.0.1/auth/callback",
            "javascript://127.0.0.1/auth/callback",
        ];
        for uri in others {
            assert!(!is_callback(uri), "{uri}");
        }
    }
}
