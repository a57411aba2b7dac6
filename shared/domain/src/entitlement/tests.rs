use serde_json::{Value, json};

use super::*;
use crate::plan::tests::plan;
use crate::{Context, PlanState, Standing, Tiers, Trial};

fn key(key: &str) -> FeatureKey {
    schema::read(&json!(key)).unwrap()
}

fn value(value: &Value) -> FeatureValue {
    schema::read(value).unwrap()
}

fn grants() -> Grants {
    Grants::none(TenantId::generate(), Timestamp::from_millis(0), &UserId::from("operator"))
}

fn overridden(grants: Grants, feature: &str, given: &Value) -> Result<Grants> {
    let (now, by) = (Timestamp::from_millis(1), UserId::from("operator"));
    grants.with_override(key(feature), value(given), now, &by)
}

#[test]
fn a_plan_counts_while_its_subscription_is_in_use() {
    let plan = plan(&json!({ "features": { "seats": 5, "sso": false } }), PlanState::Active);
    let (tenant, by) = (TenantId::generate(), UserId::from("operator"));
    let in_use = Standing { status: TenantStatus::Active, suspension: None, has_open_job: false };
    let at = Context { tenant: in_use, now: Timestamp::from_millis(0), by: &by };
    let terms = plan.terms(&Tiers::default());
    let pending = Subscription::subscribe(tenant, terms, Trial::Declined, None, at).unwrap();
    let pending = pending.subscription;
    let active = pending.clone().activate(at).unwrap().subscription;
    let ended = active.clone().close(at).unwrap().subscription;
    assert_eq!([&pending, &ended].map(PlanFeatures::of), [None, None]);
    let given = PlanFeatures::of(&active).unwrap();
    assert_eq!(
        (given.plan_id, json!(given.features)),
        (plan.id, json!({ "seats": 5, "sso": false }))
    );
}

#[test]
fn an_override_wins_over_the_plan() {
    let features = serde_json::from_value(json!({ "seats": 5, "sso": false })).unwrap();
    let plan = Some(PlanFeatures { plan_id: PlanId::generate(), features });
    let granted = Grants { plan, ..grants() };
    let granted = overridden(granted, "seats", &json!(25)).unwrap();
    let granted = overridden(granted, "beta", &json!(true)).unwrap();
    assert_eq!(
        json!(granted.features()),
        json!({
            "beta": { "value": true, "source": "override" },
            "seats": { "value": 25, "source": "override" },
            "sso": { "value": false, "source": "plan" },
        })
    );
    let (now, by) = (Timestamp::from_millis(2), UserId::from("operator"));
    let granted = granted.without_override(&key("seats"), now, &by).unwrap();
    assert_eq!(json!(granted.features()["seats"]), json!({ "value": 5, "source": "plan" }));
    let missing = granted.without_override(&key("seats"), now, &by).unwrap_err();
    assert!(matches!(missing, Error::NotFound { id, .. } if id == "seats"));
}

#[test]
fn a_tenant_has_at_most_100_overrides() {
    let full = (0..100).try_fold(grants(), |all, n| overridden(all, &format!("f{n}"), &json!(n)));
    let full = full.unwrap();
    overridden(full.clone(), "f7", &json!("replaced")).unwrap();
    let Error::Invalid(violations) = overridden(full, "another", &json!(1)).unwrap_err() else {
        panic!("not a violation")
    };
    assert_eq!(violations[0].code, "maxProperties");
}

#[test]
fn entitlements_change_only_with_a_feature_or_the_plan() {
    let none = grants();
    assert!(!none.differ_from(None));
    let one = overridden(none.clone(), "seats", &json!(1)).unwrap();
    assert!(one.differ_from(None) && one.differ_from(Some(&none)) && none.differ_from(Some(&one)));
    let same = overridden(one.clone(), "seats", &json!(1)).unwrap();
    assert!(!same.differ_from(Some(&one)));
    let plan = PlanFeatures { plan_id: PlanId::generate(), features: Features::default() };
    let planned = Grants { plan: Some(plan), ..one.clone() };
    assert!(planned.differ_from(Some(&one)), "another plan with the same features");
}
