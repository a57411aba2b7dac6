use serde_json::json;

use super::*;
use crate::{JobId, JobPhase};
use schema::read;

fn tenant() -> Tenant {
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
