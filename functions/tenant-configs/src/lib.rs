//! `/tenant-configs`: the configurations of tenants.

mod routes;

pub use routes::operations;

use axum::{
    Router,
    extract::{RawQuery, State},
    response::Response,
};
use domain::{ConfigDetails, Entity, Tenant, permit};
use filter::Filter;
use lambda::{Env, config::ConfigError};
use store::Store;
use web::{
    AllowedBoth, Backend, IfNoneMatch, PathIds, Result, Served, complete, finish, may_include,
};

/// Returns the router of this function, with the routes that `template.yaml` declares.
///
/// # Errors
///
/// [`ConfigError`] if a variable is missing or malformed.
pub async fn router(env: &Env) -> Result<Router, ConfigError> {
    let served = Served::new(Backend::from_env(env).await?);
    Ok(finish(routes::routes(served).into_router()))
}

/// `GET /tenant-configs/{id}/tenant`: returns the tenant of a configuration.
async fn tenant(
    State(store): State<Store>,
    AllowedBoth { bearer, .. }: AllowedBoth<permit::ViewTenantConfig, permit::ViewTenant>,
    known: IfNoneMatch,
    path: PathIds,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let filter = Filter::from_entity_query(&query.unwrap_or_default(), Tenant::SCHEMA)?;
    may_include(&bearer, &filter)?;
    let (_, tenant) = store.child::<ConfigDetails>(path.id()?).await?;
    bearer.may_act_on(tenant.item.lead_id)?;
    complete(&store, tenant, &filter, &known).await
}
