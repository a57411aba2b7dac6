//! `/subscriptions`: subscribes tenants to plans, and reads, changes, cancels and resumes their
//! subscriptions. Billing systems report payments here.

mod actions;
mod change;
mod create;
mod ending;
mod moving;
mod parameters;
mod payments;
mod routes;

pub use routes::operations;

use axum::{Router, extract::FromRef};
use domain::{Entity, EntityId, Error, Job, MoveRules, Retention, Subscription, SubscriptionId};
use filter::Wire;
use lambda::{
    Env,
    config::{ConfigError, moves, retention},
    keys::MasterKeys,
    token::Tokens,
};
use store::Store;
use web::{Backend, EntityTag, Preconditions, Reply, Result, Served, finish};

/// The state of the handlers.
#[derive(Clone, Debug, FromRef)]
struct Subscriptions {
    store: Store,
    tokens: Tokens,
    keys: MasterKeys,
    preconditions: Preconditions,
    moves: MoveRules,
    retention: Retention,
}

/// Returns the router of this function, with the routes that `template.yaml` declares.
///
/// # Errors
///
/// [`ConfigError`] if a variable is missing or malformed.
pub async fn router(env: &Env) -> Result<Router, ConfigError> {
    let Backend { store, tokens, keys, preconditions, .. } = Backend::from_env(env).await?;
    let (moves, retention) = (moves(env)?, retention(env)?);
    let state = Subscriptions { store, tokens, keys, preconditions, moves, retention };
    Ok(finish(routes::routes(Served::new(state)).into_router()))
}

/// Returns the answer that shows a version of a subscription.
fn shown(subscription: &Subscription, version: u64) -> domain::Result<Reply> {
    let wire = subscription.wire()?;
    let reply = Reply::json(&Wire::new(Subscription::SCHEMA, &wire))?;
    Ok(reply.tagged(EntityTag(version)).showing(subscription.id))
}

/// Returns the answer that shows a version of a subscription while a job moves its tenant.
fn shown_while_moving(
    subscription: &Subscription,
    version: u64,
    job: &Job,
) -> domain::Result<Reply> {
    let location = format!("/tenants/{}/jobs/{}", job.tenant_id, job.id);
    Ok(shown(subscription, version)?.accepted().located_at(location))
}

/// Returns the answer that shows a subscription as it is now, in place of one that was too large to be
/// recorded.
async fn shown_again(store: &Store, id: String) -> Result<Reply> {
    let id: SubscriptionId =
        id.parse().map_err(|_| Error::NotFound { entity: SubscriptionId::ENTITY, id })?;
    let found = store.subscription(id).await?.subscription;
    Ok(shown(&found.item, found.version)?)
}
