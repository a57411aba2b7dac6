//! `/plans`: the plans to which tenants can subscribe. `/catalog`: those on offer, without a token.

mod catalog;
mod editing;
mod routes;

pub use routes::operations;

use std::sync::Arc;

use axum::{
    Router,
    extract::{FromRef, RawQuery, State},
    response::Response,
};
use domain::{Editable, Entity, EntityId, Error, Plan, PlanId, PlanState, Tiers, permit};
use filter::{Filter, Wire};
use lambda::{
    Env,
    config::{ConfigError, tiers},
    keys::MasterKeys,
    token::{Bearer, Tokens},
};
use store::{Store, retry_if_stale};
use web::{
    Allowed, Backend, Body, EntityTag, IfMatch, IfNoneMatch, Once, Operator, PathIds,
    Preconditions, RateLimits, Reply, Result, Scope, Served, complete, finish,
};

/// The state of the handlers.
#[derive(Clone, Debug, FromRef)]
struct Plans {
    limits: RateLimits,
    store: Store,
    tokens: Tokens,
    keys: MasterKeys,
    preconditions: Preconditions,
    tiers: Arc<Tiers>,
}

/// Returns the router of this function, with the routes that `template.yaml` declares.
///
/// # Errors
///
/// [`ConfigError`] if a variable is missing or malformed.
pub async fn router(env: &Env) -> Result<Router, ConfigError> {
    let Backend { store, tokens, keys, preconditions, .. } = Backend::from_env(env).await?;
    let limits = RateLimits::from_env(env, "PUBLIC_API_MAX_ATTEMPTS", 30, &store)?;
    let tiers = tiers(env).into();
    let plans = Plans { limits, store, tokens, keys, preconditions, tiers };
    Ok(finish(routes::routes(Served::new(plans)).into_router()))
}

/// `POST /plans`: creates a draft.
async fn create(
    State(plans): State<Plans>,
    Operator { bearer, .. }: Operator<permit::CreatePlan>,
    once: Once,
    Body(body): Body,
) -> Result<Response> {
    let details = editing::with_known_tier(&plans.tiers, &body, body.read().map_err(Error::from))?;
    let shown = |plan: &Plan| Reply::json(&Wire::new(Plan::SCHEMA, &plan.wire()?));
    let (bearer, shown, store) = (&bearer, &shown, &plans.store);
    let again = |id: String| async move {
        let id = id.parse().map_err(|_| Error::NotFound { entity: PlanId::ENTITY, id })?;
        Ok(shown(&store.plan(id).await?.item)?)
    };
    once.run_or_rebuild(Scope::Bearer(bearer), again, |attempt| async move {
        let plan = Plan::create(details, lambda::now(), &bearer.id);
        let reply = shown(&plan)?.tagged(EntityTag::FIRST).showing(plan.id);
        attempt.recording(&reply).add_plan(&plan).await?;
        Ok(reply)
    })
    .await
}

/// `GET /plans/{id}`: a lead sees a plan only while it is on offer.
async fn view(
    State(store): State<Store>,
    Allowed { bearer, .. }: Allowed<permit::ViewPlan>,
    known: IfNoneMatch,
    path: PathIds,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let filter = Filter::from_entity_query(&query.unwrap_or_default(), Plan::SCHEMA)?;
    let mut plan = store.plan(path.id()?).await?;
    if bearer.lead().is_some() {
        let shown = plan.item.for_customers();
        plan.item = shown.ok_or(Error::Forbidden("the plan is not on offer"))?;
    }
    complete(&store, plan, &filter, &known).await
}

/// `POST /plans/{id}/activate`: puts a draft or an archived plan on offer.
async fn activate(
    Operator { bearer, .. }: Operator<permit::UpdatePlan>,
    once: Once,
    expected: IfMatch,
    path: PathIds,
) -> Result<Response> {
    set_state(PlanState::Active, once, &bearer, &expected, &path).await
}

/// `POST /plans/{id}/archive`: takes a plan off the offer. Subscriptions to the plan go on.
async fn archive(
    Operator { bearer, .. }: Operator<permit::UpdatePlan>,
    once: Once,
    expected: IfMatch,
    path: PathIds,
) -> Result<Response> {
    set_state(PlanState::Archived, once, &bearer, &expected, &path).await
}

/// Changes the state of the plan in the path. A plan that has the state already stays as it is.
async fn set_state(
    state: PlanState,
    once: Once,
    bearer: &Bearer,
    expected: &IfMatch,
    path: &PathIds,
) -> Result<Response> {
    let id = path.id()?;
    once.run(Scope::Bearer(bearer), |attempt| async move {
        let changed = retry_if_stale(|| async {
            let before = attempt.store.plan(id).await?;
            expected.check(before.version)?;
            let after = before.item.clone().in_state(state, lambda::now(), &bearer.id);
            if after == before.item {
                return Ok(Reply::no_content().tagged(EntityTag(before.version)));
            }
            let reply = Reply::no_content().tagged(EntityTag(before.version + 1));
            attempt.recording(&reply).replace_plan(&before, &after).await?;
            Ok(reply)
        });
        Ok(changed.await?)
    })
    .await
}

/// `DELETE /plans/{id}`: soft-deletes a plan that never had a subscriber.
async fn delete(
    Operator { bearer, .. }: Operator<permit::DeletePlan>,
    once: Once,
    expected: IfMatch,
    path: PathIds,
) -> Result<Response> {
    let (id, bearer, expected) = (path.id()?, &bearer, &expected);
    once.run(Scope::Bearer(bearer), |attempt| async move {
        let reply = Reply::no_content();
        let store = attempt.recording(&reply);
        let deleted = retry_if_stale(|| async {
            let before = store.plan(id).await?;
            expected.check(before.version)?;
            before.item.check_deletable()?;
            let after = before.item.clone().deleted(lambda::now(), &bearer.id);
            store.replace_plan(&before, &after).await
        });
        deleted.await?;
        Ok(reply)
    })
    .await
}
