//! `/tenants`: onboarding by an operator, reading, provisioning, and what became of it.

mod provisioning;
mod reading;

use std::{collections::BTreeSet, time::Duration};

use axum::{
    Router,
    extract::{FromRef, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use shared::{
    Env, Result,
    aws::Aws,
    config::{ConfigError, millis},
    domain::{NewTenant, TenantView, permit},
    http::{Json, Operator, finish},
    keys::MasterKeys,
    store::Store,
    token::Tokens,
};

/// What the handlers need.
#[derive(Clone, Debug, FromRef)]
struct Tenants {
    store: Store,
    tokens: Tokens,
    keys: MasterKeys,
    plans: Plans,
}

/// How plans are provisioned.
#[derive(Clone, Debug)]
struct Plans {
    /// Tiers whose tenants get resources of their own, `SILO_TIERS`.
    silo_tiers: BTreeSet<String>,
    /// How long a job may take, `WEBHOOK_SECRET_EXPIRY`.
    expiry: Duration,
}

/// The routes of this function, as `template.yaml` lists them.
///
/// # Errors
///
/// [`ConfigError`] naming the variable that is missing or malformed.
pub async fn router(env: &Env) -> Result<Router, ConfigError> {
    let aws = Aws::from_env(env)?;
    let store = Store::from_env(env, &aws)?;
    let plans = Plans {
        silo_tiers: env.list("SILO_TIERS", "PREMIUM"),
        expiry: millis(env, "WEBHOOK_SECRET_EXPIRY", 3_600_000)?,
    };
    let (tokens, keys, ()) =
        tokio::join!(Tokens::from_env(env, &aws), MasterKeys::load(env, &aws), store.warm());
    let tenants = Tenants { store, tokens: tokens?, keys: keys?, plans };
    let routes = Router::new()
        .route("/tenants", get(reading::list).post(create))
        .route("/tenants/{id}", get(reading::view))
        .route("/tenants/{id}/provision", post(provisioning::provision))
        .route("/tenants/{id}/jobs", get(reading::jobs))
        .route("/tenants/{id}/jobs/{jobId}", get(reading::job))
        .route("/tenants/{id}/resources", get(reading::resources));
    Ok(finish(routes.with_state(tenants)))
}

/// `POST /tenants`: an operator onboards a tenant without a lead.
async fn create(
    State(store): State<Store>,
    Operator(bearer): Operator<{ permit::CREATE_TENANT }>,
    Json(new): Json<NewTenant>,
) -> Result<Response> {
    let onboarding = new.onboard(shared::now(), &bearer.id)?;
    store.onboard(&onboarding).await?;
    Ok(Json(TenantView::onboarded(&onboarding, None)).into_response())
}
