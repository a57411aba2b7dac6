//! `/tenants`: creates, reads, updates, deletes and provisions tenants. `/overview`: dashboard
//! statistics. `/search`: finds tenants and leads.

mod by_plan;
mod entitlements;
mod provisioning;
mod reading;
mod retiring;
mod routes;
mod suspending;

pub use routes::operations;

use std::time::Duration;

use axum::{Router, extract::FromRef, response::Response};
use domain::{IdentityProvider, LeadPlans, NewTenant, TenantView, Tiers, permit};
use lambda::{
    Env,
    config::{ConfigError, identity_provider, millis, tiers},
    keys::MasterKeys,
    token::Tokens,
};
use store::{Store, retry_if_stale};
use web::{
    Allowed, Backend, EntityTag, IfMatch, Json, Once, Operator, PathIds, Preconditions, Reply,
    Result, Scope, Served, finish,
};

/// The state of the handlers.
#[derive(Clone, Debug, FromRef)]
struct Tenants {
    store: Store,
    tokens: Tokens,
    keys: MasterKeys,
    preconditions: Preconditions,
    plans: Plans,
}

/// How plans are provisioned.
#[derive(Clone, Debug)]
struct Plans {
    tiers: Tiers,
    /// Time limit of a job (`WEBHOOK_SECRET_EXPIRY`).
    expiry: Duration,
    /// The identity provider of tenants that configure none (`IDENTITY_PROVIDER`).
    provider: Option<IdentityProvider>,
    /// The sources of the terms of a lead's tenant (`LEAD_PLANS`).
    leads: LeadPlans,
}

/// Returns the router of this function, with the routes that `template.yaml` declares.
///
/// # Errors
///
/// [`ConfigError`] if a variable is missing or malformed.
pub async fn router(env: &Env) -> Result<Router, ConfigError> {
    let plans = Plans {
        tiers: tiers(env),
        expiry: millis(env, "WEBHOOK_SECRET_EXPIRY", 3_600_000)?,
        provider: identity_provider(env)?,
        leads: env.parsed("LEAD_PLANS", LeadPlans::default(), "auto, catalog or free")?,
    };
    let Backend { store, tokens, keys, preconditions, .. } = Backend::from_env(env).await?;
    let tenants = Tenants { store, tokens, keys, preconditions, plans };
    Ok(finish(routes::routes(Served::new(tenants)).into_router()))
}

/// `POST /tenants`: creates a tenant without a lead, for operators.
async fn create(
    Operator { bearer, .. }: Operator<permit::CreateTenant>,
    once: Once,
    Json(new): Json<NewTenant>,
) -> Result<Response> {
    let bearer = &bearer;
    once.run(Scope::Bearer(bearer), |attempt| async move {
        let onboarding = new.onboard(lambda::now(), &bearer.id)?;
        let tenant = TenantView::onboarded(&onboarding, None);
        let reply = Reply::json(&tenant)?.tagged(EntityTag::FIRST);
        attempt.recording(&reply).onboard(&onboarding).await?;
        Ok(reply)
    })
    .await
}

/// `DELETE /tenants/{id}`: soft-deletes a tenant and everything it owns. Its key is not released.
async fn delete(
    Allowed { bearer, .. }: Allowed<permit::DeleteTenant>,
    once: Once,
    expected: IfMatch,
    path: PathIds,
) -> Result<Response> {
    let (id, bearer, expected) = (path.id()?, &bearer, &expected);
    once.run(Scope::Bearer(bearer), |attempt| async move {
        let reply = Reply::no_content();
        let store = attempt.recording(&reply);
        let deleted = retry_if_stale(|| async {
            let doomed = store.tenant_to_delete(id).await?;
            let tenant = &doomed.tenant.item;
            bearer.may_act_on(tenant.lead_id)?;
            expected.check(doomed.tenant.version)?;
            bearer.may_change(tenant)?;
            tenant.check_deletable()?;
            store.delete_tenant(&doomed, lambda::now(), &bearer.id).await
        });
        deleted.await?;
        Ok(reply)
    })
    .await
}
