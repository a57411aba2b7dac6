use serde_json::json;

use super::*;
use crate::plan::tests::plan;
use crate::{JobId, JobPhase, PlanState};
use schema::read;

/// Returns a new tenant.
pub(crate) fn tenant() -> Tenant {
    let new: NewTenant = read(&json!({
        "key": "acme", "name": "Acme", "domains": ["acme.test"],
        "contact": {
            "firstName": "Ada", "lastName": "L", "email": "ada@acme.test", "isPrimary": true,
        },
    }))
    .unwrap();
    new.onboard(Timestamp::from_millis(0), &UserId::from("operator")).unwrap().tenant
}

fn resource(tenant: &Tenant, attempt: u32, identifier: &str) -> Resource {
    let new: NewResource =
        read(&json!({ "type": "bucket", "externalIdentifier": identifier })).unwrap();
    new.to_resource(tenant.id, attempt, Timestamp::from_millis(0), &UserId::from("system"))
}

#[test]
fn abandoned_and_repeated_resources_are_obsolete() {
    let mut tenant = tenant();
    tenant.removed_by = Some(1);
    tenant.batches = vec!["third".to_owned()];
    let job = JobId::generate();
    let batched = |attempt, identifier: &str, batch: &str| {
        resource(&tenant, attempt, identifier).in_batch(batch, ResourceId::generate())
    };
    let removed = resource(&tenant, 1, "a");
    let (first, abandoned) = (resource(&tenant, 2, "a"), batched(3, "b", "abandoned"));
    let (again, open) = (batched(3, "a", "third"), batched(4, "c", "open"));
    let all = [removed, first.clone(), abandoned.clone(), again, open.clone()];
    let latest = |outcome| {
        let (kind, phase) = (JobKind::Provision, JobPhase::Build);
        let (opened_from, identity_provider, subscription_id) = (None, None, None);
        Some(JobRef {
            id: job,
            attempt: 4,
            kind,
            opened_from,
            identity_provider,
            phase,
            subscription_id,
            outcome,
        })
    };
    let while_open = Tenant { latest_job: latest(None), ..tenant.clone() };
    assert_eq!(while_open.obsolete_resources(&all), [abandoned.id, first.id]);
    let exist: Vec<_> = all.iter().map(|resource| while_open.has_resource(resource)).collect();
    assert_eq!(exist, [false, true, false, true, false]);
    let closed = Tenant { latest_job: latest(Some(crate::Outcome::TimedOut)), ..tenant.clone() };
    assert_eq!(closed.obsolete_resources(&all), [abandoned.id, open.id, first.id]);
}

#[test]
fn a_tenant_is_placed_for_plans_of_its_tier_and_isolation() {
    let tiers = Tiers::default();
    let terms = |tier: &str| plan(&json!({ "tier": tier }), PlanState::Active).terms(&tiers);
    let placed = |tier: Option<&str>, isolation| {
        let tier = tier.map(|tier| read(&json!(tier)).unwrap());
        let tenant = Tenant { tier, isolation, ..tenant() };
        ["BASIC", "PREMIUM"].map(|tier| tenant.is_placed_for(&terms(tier), &tiers))
    };
    let (silo, pool) = (Some(Isolation::Silo), Some(Isolation::Pool));
    assert_eq!(placed(None, pool), [false, false], "it was never provisioned");
    assert_eq!(
        [placed(Some("basic"), pool), placed(Some("basic"), silo)],
        [[true, false], [false, false]]
    );
    assert_eq!(placed(Some("PREMIUM"), silo), [false, true]);
    let older = [placed(Some("BASIC"), None), placed(Some("PREMIUM"), None)];
    assert_eq!(older, [[true, false], [false, true]], "the isolation follows from the tier");
}

#[test]
fn the_lead_of_a_tenant_created_what_it_added_after_the_onboarding() {
    let lead = LeadId::generate();
    let tenant = Tenant { lead_id: Some(lead), ..tenant() };
    let (lead, other) = (lead.to_string(), LeadId::generate().to_string());
    for (by, millis, created) in [(&lead, 1, true), (&lead, 0, false), (&other, 1, false)] {
        let audit = Audit::created(Timestamp::from_millis(millis), &UserId::from(by.as_str()));
        assert_eq!(tenant.was_created_by_lead(&audit), created, "{audit:?}");
    }
}
