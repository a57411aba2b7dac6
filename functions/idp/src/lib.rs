//! `POST /manage/users`: a tenant's realm, organization or user pool, and its first user.
//!
//! The sender signs as a build signs its webhook, without a context (CONTRACT §7), by either of two
//! secrets: the tenant's own, [`MasterKeys::idp_secret`], which is good for that tenant under its own
//! key alone; or `IDP_WEBHOOK_SECRET`, where it is set, which a facade holds for all tenants.
//!
//! Each provider is set up by looking first. A call that died between two steps is simply made
//! again: what is there is found, what is missing is made, and the mail goes out (again) as long as
//! its reader has not chosen a password.

mod auth0;
mod client;
mod cognito;
mod config;
mod keycloak;
mod operations;
mod password;
mod providers;
mod sender;
mod setup;
mod space;

pub use operations::operations;

use std::{collections::BTreeSet, time::Duration};

use axum::{Router, extract::State, http::HeaderMap, routing::post};
use providers::Providers;
use sender::Senders;
use serde::Serialize;
use setup::Setup;
use shared::{
    Env, Result,
    aws::Aws,
    config::{ConfigError, millis},
    http::{Body, Json, Limiter, RawBody, Signature, finish, limited},
    store::Store,
};
use space::Space;

#[cfg(doc)]
use shared::keys::MasterKeys;

/// What the handler needs.
#[derive(Clone)]
struct Idp {
    store: Store,
    senders: Senders,
    providers: Providers,
    /// Tiers whose tenants have a space of their own, `SILO_TIERS`.
    silo_tiers: BTreeSet<String>,
    /// How far a sender's clock may be off.
    tolerance: Duration,
}

/// The answer to `POST /manage/users`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Managed {
    /// The admin's id at the provider; empty where the tenant has none.
    auth_id: String,
}

/// The routes of this function, as `template.yaml` lists them.
///
/// # Errors
///
/// [`ConfigError`] naming the variable that is missing or malformed.
pub async fn router(env: &Env) -> Result<Router, ConfigError> {
    let aws = Aws::from_env(env)?;
    let store = Store::from_env(env, &aws)?;
    let calls = env.count("WEBHOOK_API_MAX_ATTEMPTS", 60)?;
    let limiter = Limiter::new(store.clone(), "POST /manage/users", calls);
    let (senders, providers, ()) = tokio::join!(
        Senders::from_env(env, &aws),
        Box::pin(Providers::from_env(env, &aws)),
        store.warm()
    );
    let idp = Idp {
        store,
        senders: senders?,
        providers: providers?,
        silo_tiers: env.list("SILO_TIERS", "PREMIUM"),
        tolerance: millis(env, "WEBHOOK_TOLERANCE", 20_000)?,
    };
    let routes = Router::new().route("/manage/users", limited(post(manage), limiter));
    Ok(finish(routes.with_state(idp)))
}

/// `POST /manage/users`. The signature is over the bytes as sent, so they are checked before they
/// are held against a schema.
async fn manage(
    State(idp): State<Idp>,
    headers: HeaderMap,
    RawBody(bytes): RawBody,
) -> Result<Json<Managed>> {
    let signature = Signature::of(&headers, shared::now(), idp.tolerance)?;
    let sender = idp.senders.of(&signature, &bytes, &idp.store).await?;
    let setup: Setup = Body::declared(&headers, bytes)?.0.read()?;
    sender.may_set_up(&setup)?;
    let Some(provider) = setup.tenant.identity_provider else {
        return Ok(Json(Managed { auth_id: String::new() }));
    };
    let space = Space::of(&setup, &idp.silo_tiers);
    let auth_id = idp.providers.set_up(provider, &setup, &space, &idp.store).await?;
    Ok(Json(Managed { auth_id }))
}
