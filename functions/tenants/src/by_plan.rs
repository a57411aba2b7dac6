//! Provisioning by plan: the tenant is subscribed to the plan and built for it.

use axum::response::Response;
use domain::{
    Catalog, Context, Decision, Job, JobKind, Namer, Plan, PlanChoice, PlanId, Result as Decided,
    Subscription, SubscriptionText, TenantId,
};
use store::{PlannedJob, TenantToBuild, retry_if_stale};
use web::{Once, Result, Scope};

use crate::{
    Plans,
    provisioning::{Caller, Opening, accepted},
};

/// Opens the job that builds a tenant for a plan, with the tenant's pending subscription to the plan
/// or with a new one.
pub(crate) async fn open(
    once: Once,
    caller: &Caller,
    plans: &Plans,
    id: TenantId,
    plan: PlanId,
) -> Result<Response> {
    let opened = once.run(Scope::Bearer(&caller.bearer), |attempt| async move {
        let opened = retry_if_stale(|| async {
            let store = &attempt.store;
            let (from, plan) = tokio::join!(store.tenant_to_build(id), store.plan(plan));
            let from = from?;
            caller.bearer.may_act_on(from.tenant.item.lead_id)?;
            let (plan, tenant, current) = (plan?, from.tenant.clone(), from.current.clone());
            let waiting = current.filter(|current| current.item.waits_on(plan.item.id));
            if waiting.is_none() {
                check_choice(plans, caller, &plan.item)?;
            }
            caller.check(&tenant)?;
            let (job, decision) = build(plans, from, &plan.item, &caller.opening())?;
            let reply = accepted(&tenant, &job);
            let (plan, waiting) = (&plan, waiting.as_ref());
            let planned = PlannedJob { job: &job, plan, waiting, decision: &decision };
            let store = attempt.recording(&reply);
            store.open_planned_job(&tenant, planned, &caller.request).await?;
            Ok(reply)
        });
        Ok(opened.await?)
    });
    Box::pin(opened).await
}

/// Checks that the caller may subscribe a tenant to this plan.
fn check_choice(plans: &Plans, caller: &Caller, plan: &Plan) -> Decided<()> {
    let namer = if caller.bearer.lead().is_some() { Namer::Lead } else { Namer::Operator };
    // Whether the catalog has opened only matters for terms in the body.
    Ok(plans.leads.check(Catalog::Opened, namer, PlanChoice::Named(plan))?)
}

/// Returns the job that builds a tenant for a plan, and the decision about its subscription. The terms
/// of a subscription that waits are those that it was created with.
fn build(
    plans: &Plans,
    from: TenantToBuild,
    plan: &Plan,
    opening: &Opening<'_>,
) -> Decided<(Job, Decision)> {
    let tenant = &from.tenant.item;
    tenant.status_after_opening(JobKind::Provision)?;
    let at = Context { tenant: tenant.standing(), now: opening.now, by: opening.by };
    let current = from.current.as_ref().map(|current| &current.item);
    let decision = Subscription::provision(tenant.id, plan.terms(&plans.tiers), current, at)?;
    let subscription = &decision.subscription;
    let text = SubscriptionText::planned(subscription)?;
    let job = plans.build(from, text, subscription.plan.isolation, opening)?;
    Ok((job.with_subscription(Some(subscription.id)), decision))
}
