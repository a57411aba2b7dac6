use serde_json::{Value, json};

use super::*;
use crate::plan::tests::plan;
use crate::{Context, PlanState, Standing, Tiers, Trial, UserId};
use schema::Timestamp;

fn overrides(given: Value) -> Overrides {
    serde_json::from_value(given).unwrap()
}

#[test]
fn an_override_wins_and_a_subscription_counts_while_it_is_in_use() {
    let plan = plan(&json!({ "features": { "seats": 5, "sso": false } }), PlanState::Active);
    let (tenant, by) = (TenantId::generate(), UserId::from("operator"));
    let tenant_in_use =
        Standing { status: TenantStatus::Active, suspension: None, has_open_job: false };
    let at = Context { tenant: tenant_in_use, now: Timestamp::from_millis(0), by: &by };
    let terms = plan.terms(&Tiers::default());
    let pending = Subscription::subscribe(tenant, terms, Trial::Declined, None, at).unwrap();
    let pending = pending.subscription;
    let active = pending.clone().activate(at).unwrap().subscription;
    let ended = active.clone().close(at).unwrap().subscription;
    let own = overrides(json!({ "seats": 25, "beta": true }));
    let of = |subscription| {
        let entitlements = Entitlements::new(tenant, TenantStatus::Active, subscription, &own);
        serde_json::to_value(entitlements).unwrap()
    };
    let overridden = json!({
        "seats": { "value": 25, "source": "override" },
        "beta": { "value": true, "source": "override" },
    });
    for none in [None, Some(&pending), Some(&ended)] {
        let answer =
            json!({ "tenantId": tenant, "status": 0, "planId": null, "features": overridden });
        assert_eq!(of(none), answer);
    }
    let answer = of(Some(&active));
    assert_eq!(answer["planId"], json!(plan.id));
    assert_eq!(answer["features"]["seats"], json!({ "value": 25, "source": "override" }));
    assert_eq!(answer["features"]["sso"], json!({ "value": false, "source": "plan" }));
}

#[test]
fn a_tenant_has_at_most_100_overrides() {
    let key = |key: &str| schema::read::<FeatureKey>(&json!(key)).unwrap();
    let many = (0..100).map(|n| (format!("f{n}"), json!(n))).collect::<serde_json::Map<_, _>>();
    let full = overrides(many.into());
    assert!(full.fits(&key("f7")), "replaced");
    assert!(!full.fits(&key("another")));
    assert!(Overrides::default().fits(&key("another")));
}
