use axum::{extract::State, response::Response};
use domain::{
    Context, Decision, Move, MoveRules, NewSubscription, Proration, Result as Decided,
    Subscription, TenantStatus, Trial, permit,
};
use store::{Store, Subscriber, retry_if_stale};
use web::{Attempt, Json, Once, Operator, Reply, RequestId, Result, Scope};

use crate::{
    moving::{Requester, prepare_move},
    shown, shown_again, shown_while_moving,
};

/// `POST /subscriptions`: subscribes a tenant to a plan. A tenant in use, of the plan's tier and
/// isolation, begins at once; one of another is moved first. A tenant without resources begins when it
/// has been provisioned.
pub(crate) async fn create(
    State(store): State<Store>,
    State(rules): State<MoveRules>,
    Operator { bearer, .. }: Operator<permit::CreateSubscription>,
    RequestId(request): RequestId,
    once: Once,
    Json(new): Json<NewSubscription>,
) -> Result<Response> {
    let by = Requester { bearer, request };
    let (by, new, rules) = (&by, &new, &rules);
    let again = |id| shown_again(&store, id);
    let answer = once.run_or_rebuild(Scope::Bearer(&by.bearer), again, |attempt| async move {
        let created = retry_if_stale(|| async {
            let to = attempt.store.subscriber(new.subscriber_id, new.plan_id).await?;
            Box::pin(subscribe(&attempt, by, new, &to, rules)).await
        });
        Ok(created.await?)
    });
    Box::pin(answer).await
}

/// Writes the subscription, with the job that moves its tenant if there must be one.
async fn subscribe(
    attempt: &Attempt,
    by: &Requester,
    new: &NewSubscription,
    to: &Subscriber,
    rules: &MoveRules,
) -> Decided<Reply> {
    let (tenant, plan) = (&to.tenant.item, &to.plan.item);
    let at = Context { tenant: tenant.standing(), now: lambda::now(), by: &by.bearer.id };
    plan.check_active()?;
    at.tenant.check_no_job()?;
    let trial = if new.trial == Some(false) { Trial::Declined } else { Trial::Offered };
    let terms = plan.terms(&rules.tiers);
    let pending = Subscription::subscribe(tenant.id, terms, trial, to.current, at)?;
    let is_built = matches!(tenant.status, TenantStatus::Active | TenantStatus::Suspended);
    let is_placed = tenant.is_placed_for(&pending.subscription.plan, &rules.tiers);
    if is_built && !is_placed {
        return subscribe_and_move(attempt, by, to, &pending, rules, at).await;
    }
    let decision = if is_built {
        pending.and_then(|subscription| subscription.activate(at))?
    } else {
        pending
    };
    let reply = shown(&decision.subscription, 1)?;
    attempt.recording(&reply).subscribe(to, &decision, &by.request).await?;
    Ok(reply)
}

async fn subscribe_and_move(
    attempt: &Attempt,
    by: &Requester,
    to: &Subscriber,
    pending: &Decision,
    rules: &MoveRules,
    at: Context<'_>,
) -> Decided<Reply> {
    let subscription = &pending.subscription;
    // The first period begins when the tenant has been moved, so nothing is prorated.
    let change = Move { plan: subscription.plan.clone(), proration: Proration::None };
    let change = (change, to.tenant.version);
    let job = prepare_move(&attempt.store, &by.bearer, subscription, change, rules, at).await?;
    let reply = shown_while_moving(subscription, 1, &job)?;
    attempt.recording(&reply).subscribe_and_move(to, pending, &job, &by.request).await?;
    Ok(reply)
}
