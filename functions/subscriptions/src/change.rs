use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use domain::{
    Adjustment, NewPlanChange, PlanChange, Quote, Refusal, Result as Decided, Tiers, When, permit,
};
use schema::Timestamp;
use serde::Serialize;
use serde_json::{Value, json, value::RawValue};
use store::{Store, retry_if_stale};
use web::{IfMatch, Json, Once, Operator, PathIds, Reply, RequestId, Result, Scope};

use crate::{actions::Caller, parameters::Parameters, shown_again};

/// `POST /subscriptions/{id}/change`: changes the plan, or says what a change would cost.
#[expect(clippy::too_many_arguments, reason = "each argument is a part of the request")]
pub(crate) async fn change(
    State(store): State<Store>,
    State(tiers): State<Tiers>,
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
    let (caller, new, tiers) = (&caller, &new, &tiers);
    let again = |id| shown_again(&store, id);
    let changed = once.run_or_rebuild(Scope::Bearer(&caller.bearer), again, |attempt| async move {
        let changed = retry_if_stale(|| async {
            let before = attempt.store.subscription(caller.path.id()?).await?;
            caller.check(&before)?;
            let (subscription, at) = (before.subscription.item.clone(), caller.context(&before));
            let plan = attempt.store.plan(new.plan_id).await?;
            let is_other = subscription.plan.plan_id != plan.item.id;
            if is_other {
                plan.item.check_active()?;
            }
            let terms = plan.item.terms(tiers);
            let (when, proration) =
                (new.when.unwrap_or(When::Now), new.proration.unwrap_or_default());
            let quote = subscription.quote(&terms, when, proration, at.now)?;
            if is_dry_run {
                return Reply::json(&QuoteView::of(&quote)?);
            }
            // A tenant cannot be moved later either.
            let decision = match subscription.change(terms, when, proration, at)? {
                PlanChange::Decided(decision) if !quote.needs_job => *decision,
                PlanChange::Decided(_) | PlanChange::Moves(_) => {
                    return Err(Refusal::NO_MOVE.into());
                }
            };
            let (store, reply) = caller.recording(&attempt, &before, &decision)?;
            let plan = is_other.then_some(&plan);
            store.change_plan(&before, plan, &decision, &caller.request).await?;
            Ok(reply)
        });
        Ok(changed.await?)
    });
    Box::pin(changed).await
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
                    "description": "Whether the tenant would have to be moved.",
                },
            },
            "required": ["lines", "on", "needsJob"],
            "additionalProperties": false,
        })
    }
}
