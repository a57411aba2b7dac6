use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use domain::{
    Adjustment, MoveRules, NewPlanChange, Plan, PlanChange, Quote, Result as Decided, When, permit,
};
use schema::Timestamp;
use serde::Serialize;
use serde_json::{Value, json, value::RawValue};
use store::{Store, Stored, Subscribed, retry_if_stale};
use web::{Attempt, IfMatch, Json, Once, Operator, PathIds, Reply, RequestId, Result, Scope};

use crate::{
    actions::Caller, moving::prepare_move, parameters::Parameters, shown_again, shown_while_moving,
};

/// `POST /subscriptions/{id}/change`: changes the plan, or says what a change would cost. If the plan has
/// another tier or isolation, a job moves the tenant first.
#[expect(clippy::too_many_arguments, reason = "each argument is a part of the request")]
pub(crate) async fn change(
    State(store): State<Store>,
    State(rules): State<MoveRules>,
    Operator { bearer, .. }: Operator<permit::UpdateSubscription>,
    RequestId(request): RequestId,
    once: Once,
    expected: IfMatch,
    path: PathIds,
    RawQuery(query): RawQuery,
    Json(new): Json<NewPlanChange>,
) -> Result<Response> {
    let is_dry_run = Parameters::read(query.as_deref(), &["dryRun"])?.flag("dryRun")?;
    let caller = Caller { bearer, expected, path, request };
    let (caller, new, rules) = (&caller, &new, &rules);
    let again = |id| shown_again(&store, id);
    let changed = once.run_or_rebuild(Scope::Bearer(&caller.bearer), again, |attempt| async move {
        let changed = retry_if_stale(|| async {
            let before = if is_dry_run {
                caller.find(&attempt.store).await?
            } else {
                caller.find_renewed(&attempt.store).await?
            };
            let plan = attempt.store.plan(new.plan_id).await?;
            if before.subscription.item.plan.plan_id != plan.item.id {
                plan.item.check_active()?;
            }
            if is_dry_run {
                return quote(new, &before, &plan, rules);
            }
            Box::pin(write(&attempt, caller, new, (&before, &plan), rules)).await
        });
        Ok(changed.await?)
    });
    Box::pin(changed).await
}

fn quote(
    new: &NewPlanChange,
    before: &Subscribed,
    plan: &Stored<Plan>,
    rules: &MoveRules,
) -> Decided<Reply> {
    let terms = plan.item.terms(&rules.tiers);
    let (when, proration) = (new.when.unwrap_or(When::Now), new.proration.unwrap_or_default());
    let subscription = &before.subscription.item;
    Reply::json(&QuoteView::of(&subscription.quote(&terms, when, proration, lambda::now())?)?)
}

/// Writes the change, or opens the job that moves the tenant.
async fn write(
    attempt: &Attempt,
    caller: &Caller,
    new: &NewPlanChange,
    (before, plan): (&Subscribed, &Stored<Plan>),
    rules: &MoveRules,
) -> Decided<Reply> {
    let (subscription, at) = (before.subscription.item.clone(), caller.context(before));
    let terms = plan.item.terms(&rules.tiers);
    let (when, proration) = (new.when.unwrap_or(When::Now), new.proration.unwrap_or_default());
    let change = match subscription.clone().change(terms, when, proration, at)? {
        PlanChange::Decided(decision) => {
            let (store, reply) = caller.recording(attempt, before, &decision)?;
            let plan = Some(plan).filter(|plan| plan.item.id != subscription.plan.plan_id);
            store.change_plan(before, plan, &decision, &caller.request).await?;
            return Ok(reply);
        }
        PlanChange::Moves(change) => (*change, before.tenant.version),
    };
    let job =
        prepare_move(&attempt.store, &caller.bearer, &subscription, change, rules, at).await?;
    let reply = shown_while_moving(&subscription, before.subscription.version, &job)?;
    attempt.recording(&reply).open_move(before, plan, &job, &caller.request).await?;
    Ok(reply)
}

/// The answer to a dry run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QuoteView {
    lines: Box<RawValue>,
    on: Timestamp,
    needs_job: bool,
}

impl QuoteView {
    fn of(quote: &Quote) -> Decided<Self> {
        let lines = RawValue::from_string(Adjustment::list_to_json(&quote.lines)?);
        let lines = lines.map_err(domain::Error::internal("writing a quote"))?;
        Ok(Self { lines, on: quote.on, needs_job: quote.needs_job })
    }

    /// Returns the JSON Schema of the answer.
    pub(crate) fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "lines": {
                    "type": "array",
                    "items": { "type": "object" },
                    "description": "The credits and charges for the next invoice.",
                },
                "on": {
                    "type": "string",
                    "format": "date-time",
                    "description": "When the change takes effect.",
                },
                "needsJob": {
                    "type": "boolean",
                    "description": "Whether a job must move the tenant first.",
                },
            },
            "required": ["lines", "on", "needsJob"],
            "additionalProperties": false,
        })
    }
}
