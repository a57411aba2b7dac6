//! `/auth`: signs operators in through an identity provider (OpenID Connect), and exchanges tokens
//! of machines. `/operators`: people that have signed in.
//!
//! The function runs the authorization code flow with PKCE and keeps the session. Pages and machines
//! get a short-lived token of ours, which the other functions verify like any operator's token.

mod callback;
mod client;
mod config;
mod cookie;
mod exchange;
mod failure;
mod origin;
mod page;
mod people;
mod provider;
mod routes;
mod session;
mod sign_in;

pub use routes::operations;

use std::sync::Arc;

use axum::{
    Router,
    extract::{FromRef, State},
};
use domain::Roles;
use fetch::Client;
use lambda::{
    Env, aws::Aws, config::ConfigError, keys::MasterKeys, metric::Metrics, token::Tokens,
};
use serde::Serialize;
use store::Store;
use subtle::ConstantTimeEq;
use web::{Backend, Json, Preconditions, RateLimits, Served, finish};

use config::Sessions;
use exchange::Trusted;
use origin::Hosting;
use provider::Provider;

/// The state of the handlers.
#[derive(Clone, FromRef)]
struct Operators {
    limits: RateLimits,
    store: Store,
    tokens: Tokens,
    keys: MasterKeys,
    preconditions: Preconditions,
    metrics: Metrics,
    hosting: Hosting,
    sessions: Sessions,
    roles: Arc<Roles>,
    /// `None` if people cannot sign in.
    provider: Option<Arc<Provider>>,
    trusted: Arc<[Trusted]>,
    /// The name of the product, `APP_NAME`.
    app: Arc<str>,
    config: Arc<SignInConfig>,
}

/// The answer to `GET /auth/config`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SignInConfig {
    /// Whether people can sign in.
    sign_in: bool,
    /// The name of the identity provider, `OIDC_NAME`.
    name: String,
    /// Whether the page offers a field for a token, `PASTED_TOKENS`.
    pasted_tokens: bool,
}

/// Returns the router of this function, with the routes that `template.yaml` declares.
///
/// # Errors
///
/// [`ConfigError`] if a variable is missing or malformed.
pub async fn router(env: &Env) -> Result<Router, ConfigError> {
    let (aws, client) = (Aws::from_env(env)?, Client::new());
    let (roles, grants) = config::roles(env)?;
    let (backend, provider) = tokio::join!(
        Backend::from_env(env),
        Box::pin(config::provider(env, &aws, grants, &client))
    );
    let (Backend { store, tokens, keys, preconditions, .. }, provider) = (backend?, provider?);
    let pasted_tokens = env.parsed("PASTED_TOKENS", true, "true or false")?;
    let name = env.get("OIDC_NAME").unwrap_or("your identity provider").to_owned();
    let operators = Operators {
        limits: RateLimits::from_env(env, "PUBLIC_API_MAX_ATTEMPTS", 30, &store)?,
        store,
        tokens,
        keys,
        preconditions,
        metrics: Metrics::from_env(env),
        hosting: config::hosting(env),
        sessions: Sessions::from_env(env)?,
        trusted: config::trusted(env, &roles, &client)?.into(),
        roles: roles.into(),
        config: SignInConfig { sign_in: provider.is_some(), name, pasted_tokens }.into(),
        provider: provider.map(Into::into),
        app: env.get("APP_NAME").unwrap_or("Tenantry").into(),
    };
    Ok(finish(routes::routes(Served::new(operators)).into_router()))
}

/// `GET /auth/config`.
async fn sign_in_config(State(config): State<Arc<SignInConfig>>) -> Json<Arc<SignInConfig>> {
    Json(config)
}

/// Whether two texts are equal, in constant time.
fn same(ours: &str, presented: &str) -> bool {
    ours.as_bytes().ct_eq(presented.as_bytes()).into()
}
