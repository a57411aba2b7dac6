use super::*;

#[test]
fn a_tenant_is_provisioned_with_the_subscription_that_waits_or_with_a_new_one() {
    let (by, tenant) = (system(), TenantId::generate());
    let at = at(standing(TenantStatus::PendingProvision, None), "2026-01-31T10:00", &by);
    let offered = terms(&json!({ "trialDays": 14 }));
    let new = Subscription::provision(tenant, offered.clone(), None, at).unwrap();
    assert_eq!(new.events, [EventType::SubscriptionCreated]);
    let waiting = new.subscription;
    assert_eq!((waiting.phase, waiting.trial_days), (Phase::Pending, 14));

    let revised = PlanTerms { revision: 2, trial_days: 0, ..offered.clone() };
    let again = Subscription::provision(tenant, revised, Some(&waiting), at).unwrap();
    assert_eq!(again, Decision::new(waiting.clone()), "on its own terms");

    let begun = activated(&json!({}));
    for (current, plan) in [(&waiting, terms(&json!({}))), (&begun, begun.plan.clone())] {
        let refused = Subscription::provision(tenant, plan, Some(current), at);
        assert_eq!(refused.unwrap_err(), Refusal::SubscriptionExists);
    }
}
