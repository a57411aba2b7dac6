use serde::Serialize;
use serde_json::value::RawValue;

use super::SubscriptionText;
use crate::{Error, Features, PlanId, PlanTerms, Result, Subscription, SubscriptionId, TenantId};

/// A subscription to a plan as builds and consumers of events read it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Planned {
    id: SubscriptionId,
    subscriber_id: TenantId,
    plan_id: PlanId,
    status: u8,
    plan: Box<RawValue>,
}

impl SubscriptionText {
    /// Returns the text of a subscription to a plan, with the members that subscriptions of ARC SaaS
    /// have. `plan` contains the terms. A text of more than 65,536 bytes is written without features,
    /// so that a job can hold it.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the subscription cannot be serialized.
    pub fn planned(subscription: &Subscription) -> Result<Self> {
        let text = text_with(subscription, &subscription.plan)?;
        let text = if text.len() > Self::MAX_BYTES {
            let features = Features::default();
            text_with(subscription, &PlanTerms { features, ..subscription.plan.clone() })?
        } else {
            text
        };
        Self::try_from(text).map_err(Error::internal("reading a subscription"))
    }
}

fn text_with(subscription: &Subscription, terms: &PlanTerms) -> Result<String> {
    let planned = RawValue::from_string(terms.to_json()?).map(|plan| Planned {
        id: subscription.id,
        subscriber_id: subscription.tenant_id,
        plan_id: terms.plan_id,
        status: subscription.phase.status(),
        plan,
    });
    let text = planned.and_then(|planned| serde_json::to_string(&planned));
    text.map_err(Error::internal("writing a subscription"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::plan::tests::plan;
    use crate::{Context, PlanState, Standing, TenantStatus, Tiers, UserId};
    use schema::Timestamp;

    fn subscription(features: &Value) -> Subscription {
        let given = json!({ "name": "Gold", "tier": "premium", "isolation": "pool", "price": 49.9, "features": features });
        let terms = plan(&given, PlanState::Active).terms(&Tiers::default());
        let status = TenantStatus::PendingProvision;
        let tenant = Standing { status, suspension: None, has_open_job: false };
        let at = Context { tenant, now: Timestamp::from_millis(0), by: &UserId::from("ada") };
        Subscription::provision(TenantId::generate(), terms, None, at).unwrap().subscription
    }

    #[test]
    fn the_text_has_the_terms_of_the_plan() {
        let subscription = subscription(&json!({ "seats": 5 }));
        let text = SubscriptionText::planned(&subscription).unwrap();
        assert_eq!((text.id(), text.tier().as_str()), (&*subscription.id.to_string(), "PREMIUM"));
        let read: Value = serde_json::from_str(text.raw().get()).unwrap();
        let plan: Value = serde_json::from_str(&subscription.plan.to_json().unwrap()).unwrap();
        let expected = json!({
            "id": subscription.id, "subscriberId": subscription.tenant_id,
            "planId": subscription.plan.plan_id, "status": 0, "plan": plan,
        });
        assert_eq!(read, expected);
        assert_eq!(
            (&plan["tier"], &plan["isolation"], &plan["price"], &plan["features"]["seats"]),
            (&json!("PREMIUM"), &json!("pool"), &json!(49.9), &json!(5))
        );
    }

    #[test]
    fn features_that_are_too_large_for_a_job_are_left_out() {
        let long = json!("€".repeat(255));
        let features = (0..100).map(|number| (format!("f{number}"), long.clone())).collect();
        let text = SubscriptionText::planned(&subscription(&features)).unwrap();
        let read: Value = serde_json::from_str(text.raw().get()).unwrap();
        assert_eq!((&read["plan"]["features"], &read["plan"]["price"]), (&json!({}), &json!(49.9)));
    }

    #[test]
    fn features_are_kept_in_a_text_of_65536_bytes() {
        let text = |subscription: &Subscription| text_with(subscription, &subscription.plan);
        let features = |mut bytes: usize| -> Value {
            let next = |number: usize| {
                let part = bytes.min(750);
                bytes -= part;
                let value = "€".repeat(part / 3) + &"x".repeat(part % 3);
                (format!("f{number}"), json!(value))
            };
            (0..100).map(next).collect::<serde_json::Map<_, _>>().into()
        };
        let empty = text(&subscription(&features(0))).unwrap().len();
        for (length, kept) in [(65_536, 100), (65_537, 0)] {
            let subscription = subscription(&features(length - empty));
            assert_eq!(text(&subscription).unwrap().len(), length);
            let planned = SubscriptionText::planned(&subscription).unwrap();
            let read: Value = serde_json::from_str(planned.raw().get()).unwrap();
            assert_eq!(read["plan"]["features"].as_object().unwrap().len(), kept, "{length}");
        }
    }
}
