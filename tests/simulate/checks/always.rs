//! Invariants that hold after each change.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::Value;

use crate::{
    history::{Change, NOTHING, number, text},
    lifecycle::{DEPROVISIONING, PROVISIONING, has_open_job},
    world::World,
};

/// The changes of a tenant's status that are possible: see `functions/README.md`, Provisioning.
const TRANSITIONS: [(u64, u64); 16] = [
    (1, 2),
    (3, 2),
    (5, 2),
    (2, 0),
    (2, 3),
    (0, 4),
    (3, 4),
    (6, 4),
    (4, 5),
    (4, 0),
    (4, 3),
    (4, 6),
    (0, 6),
    (6, 0),
    (5, 5),
    (1, 1),
];

/// The kinds of items whose version every change increases.
pub(super) const VERSIONED: [&str; 9] = [
    "config",
    "contact",
    "entitlements",
    "invoice",
    "job",
    "lead",
    "plan",
    "subscription",
    "tenant",
];

impl World {
    /// Checks one change.
    pub(crate) fn check_change(&self, change: &Change) {
        let (old, new) = (change.before(), change.after());
        let (pk, sk) = &change.key;
        let known = self.history.item(pk, sk);
        if known.as_ref().map_or(&*NOTHING, |known| known.after()) != old {
            self.violated("changes follow one another", &format!("{pk} {sk}"));
        }
        let is_changed = !old.is_empty() && !new.is_empty() && old != new;
        let is_versioned = VERSIONED.contains(&change.entity());
        if is_changed && is_versioned && number(new, "version") <= number(old, "version") {
            let how = format!("{pk} {sk}: version {} twice", number(new, "version"));
            self.violated("no update is lost", &how);
        }
        match change.entity() {
            "tenant" if is_changed => self.check_transition(change),
            "invoice" if is_changed => self.check_invoice(change),
            "subscription" => self.check_period(change),
            "job" => self.check_identity(change),
            _ => {}
        }
    }

    fn check_transition(&self, change: &Change) {
        let (from, to) = (number(change.before(), "status"), number(change.after(), "status"));
        if from != to && !TRANSITIONS.contains(&(from, to)) {
            let how = format!("{} from {from} to {to}", change.key.0);
            self.violated("a tenant's status changes as documented", &how);
        }
    }

    fn check_invoice(&self, change: &Change) {
        let status = |image| number(image, "status");
        if status(change.before()) != 0 && status(change.before()) != status(change.after()) {
            self.violated("a paid invoice is final", &change.key.1);
        }
    }

    /// Checks what was written together.
    pub(crate) fn check_together(&self, changes: &[Arc<Change>]) {
        let tenants = changes.iter().filter(|change| change.key.0.starts_with("TENANT#"));
        for pk in tenants.map(|change| change.key.0.as_str()).collect::<BTreeSet<_>>() {
            self.check_tenant(pk);
            self.check_current(pk);
        }
    }

    /// Checks that a tenant's status and its latest job agree.
    fn check_tenant(&self, pk: &str) {
        let Some(tenant) = self.history.item(pk, "TENANT") else { return };
        let tenant = tenant.after();
        let status = number(tenant, "status");
        let Some(reference) = tenant.get("latestJob").and_then(|job| job["M"].as_object()) else {
            if status != 1 && status != 0 && status != 6 {
                self.violated("status and job agree", &format!("{pk}: {status} without a job"));
            }
            return;
        };
        let kind = text(reference, "kind");
        let is_open = has_open_job(tenant);
        let is_expected = match status {
            PROVISIONING => is_open && kind == "provision",
            DEPROVISIONING => is_open && kind == "deprovision",
            _ => !is_open || kind == "change" || kind == "retire",
        };
        let job = self.history.item(pk, &format!("JOB#{:06}", number(reference, "attempt")));
        let job = job.as_ref().map_or(&*NOTHING, |job| job.after());
        let state = text(job, "state");
        let job_is_open = ["queued", "running", "setting_up_identity"].contains(&state);
        let is_same = text(job, "id") == text(reference, "id") && job_is_open == is_open;
        if !is_expected || !is_same {
            let reference = Value::Object(reference.clone());
            let how = format!("{pk}: status {status}, job {state}, {reference}");
            self.violated("status and job agree", &how);
        }
        self.check_suspension(pk, status, tenant.contains_key("suspension"));
    }

    fn check_suspension(&self, pk: &str, status: u64, has_suspension: bool) {
        if (status == 6) != has_suspension && status != DEPROVISIONING {
            let how = format!("{pk}: status {status}, suspension: {has_suspension}");
            self.violated("a suspension is of a suspended tenant", &how);
        }
    }
}
