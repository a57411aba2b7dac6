//! Sets up a tenant's realm, organization or user pool, and its first user: on `POST /manage/users`,
//! and as the last step of a provisioning job ([`Identity`]).
//!
//! Requests are signed like webhooks, without a job ID, with one of three secrets. The tenant's own,
//! [`MasterKeys::idp_secret`], and that of its latest job, [`MasterKeys::webhook_secret`], are valid
//! only for that tenant and its key. `IDP_WEBHOOK_SECRET`, if set, is held by a facade and valid for
//! all tenants.
//!
//! The set-up is idempotent: each step looks for its resource before creating it, so the caller
//! repeats a request that failed. The email is sent again until the admin has chosen a password.

mod auth0;
mod client;
mod cognito;
mod config;
mod identity;
mod keycloak;
mod password;
mod providers;
mod refusal;
mod routes;
mod sender;
mod setup;
mod space;

pub use identity::Identity;
pub use routes::operations;

use std::time::Duration;

use axum::{
    Router,
    extract::{FromRef, State},
};
use domain::Tiers;
use lambda::{
    Env,
    aws::Aws,
    config::{ConfigError, millis, tiers},
};
use providers::{Patience, Providers};
use sender::Senders;
use serde::Serialize;
use setup::Setup;
use space::Space;
use store::Store;
use web::{Body, Json, Once, RateLimits, Result, Served, Signature, SignedBody, finish};

#[cfg(doc)]
use lambda::keys::MasterKeys;

/// The state of the handler.
#[derive(Clone, FromRef)]
struct Idp {
    limits: RateLimits,
    store: Store,
    senders: Senders,
    providers: Providers,
    /// The known tiers, and those whose tenants have their own space.
    tiers: Tiers,
    /// Maximum difference between the sender's clock and ours.
    tolerance: Duration,
}

/// The answer to `POST /manage/users`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Managed {
    /// The admin's ID at the provider. Empty if the tenant has no identity provider.
    auth_id: String,
}

/// Returns the router of this function, with the routes that `template.yaml` declares.
///
/// # Errors
///
/// [`ConfigError`] if a variable is missing or malformed.
pub async fn router(env: &Env) -> Result<Router, ConfigError> {
    let aws = Aws::from_env(env)?;
    let store = Store::from_env(env, &aws)?;
    let (senders, providers, ()) = tokio::join!(
        Senders::from_env(env, &aws),
        Box::pin(Providers::from_env(env, &aws)),
        store.warm()
    );
    let idp = Idp {
        limits: RateLimits::from_env(env, "WEBHOOK_API_MAX_ATTEMPTS", 60, &store)?,
        store,
        senders: senders?,
        providers: providers?,
        tiers: tiers(env),
        tolerance: millis(env, "WEBHOOK_TOLERANCE", 20_000)?,
    };
    Ok(finish(routes::routes(Served::new(idp)).into_router()))
}

/// `POST /manage/users`. The signature covers the bytes as sent, so it is checked before the body
/// is validated.
async fn manage(
    State(idp): State<Idp>,
    once: Once,
    SignedBody { headers, bytes }: SignedBody,
) -> Result<Json<Managed>> {
    let signature = Signature::of(&headers, lambda::now(), idp.tolerance)?;
    let sender = idp.senders.of(&signature, &bytes, &idp.store).await?;
    let setup: Setup = Body::declared(&headers, bytes)?.0.read()?;
    let setup = setup.in_tier_of(&idp.tiers)?;
    sender.may_set_up(&setup)?;
    let Some(provider) = setup.tenant.identity_provider else {
        return Ok(Json(Managed { auth_id: String::new() }));
    };
    let space = Space::of(&setup, setup.isolation(&idp.tiers));
    let (providers, patience) = (&idp.providers, Patience::OF_A_CLIENT);
    let set_up =
        async || Ok(providers.set_up(provider, &setup, &space, &idp.store, patience).await?);
    let auth_id = once.alone(set_up).await?;
    Ok(Json(Managed { auth_id }))
}
