use axum::{extract::State, response::Response};
use domain::{
    Context, Decision, NewSubscription, Refusal, Result as Decided, Subscription, TenantStatus,
    Tiers, Trial, UserId, permit,
};
use schema::Timestamp;
use store::{Store, Subscriber, retry_if_stale};
use web::{Json, Once, Operator, RequestId, Result, Scope};

use crate::{shown, shown_again};

/// `POST /subscriptions`: subscribes a tenant to a plan. A tenant in use, of the plan's tier and
/// isolation, begins at once; a tenant without resources begins when it has been provisioned.
pub(crate) async fn create(
    State(store): State<Store>,
    State(tiers): State<Tiers>,
    Operator { bearer, .. }: Operator<permit::CreateSubscription>,
    RequestId(request): RequestId,
    once: Once,
    Json(new): Json<NewSubscription>,
) -> Result<Response> {
    let (bearer, new, tiers, request) = (&bearer, &new, &tiers, &request);
    let again = |id| shown_again(&store, id);
    let answer = once.run_or_rebuild(Scope::Bearer(bearer), again, |attempt| async move {
        let created = retry_if_stale(|| async {
            let to = attempt.store.subscriber(new.subscriber_id, new.plan_id).await?;
            let decision = decide(new, &to, tiers, lambda::now(), &bearer.id)?;
            let reply = shown(&decision.subscription, 1)?;
            attempt.recording(&reply).subscribe(&to, &decision, request).await?;
            Ok(reply)
        });
        Ok(created.await?)
    });
    Box::pin(answer).await
}

fn decide(
    new: &NewSubscription,
    to: &Subscriber,
    tiers: &Tiers,
    now: Timestamp,
    by: &UserId,
) -> Decided<Decision> {
    let (tenant, plan) = (&to.tenant.item, &to.plan.item);
    let at = Context { tenant: tenant.standing(), now, by };
    plan.check_active()?;
    at.tenant.check_no_job()?;
    let trial = if new.trial == Some(false) { Trial::Declined } else { Trial::Offered };
    let decision = Subscription::subscribe(tenant.id, plan.terms(tiers), trial, to.current, at)?;
    if !matches!(tenant.status, TenantStatus::Active | TenantStatus::Suspended) {
        return Ok(decision);
    }
    if !tenant.is_placed_for(&decision.subscription.plan, tiers) {
        return Err(Refusal::NO_MOVE.into());
    }
    Ok(decision.and_then(|subscription| subscription.activate(at))?)
}
