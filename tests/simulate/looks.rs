//! Looks at a tenant, which the cache may show.

use std::sync::Arc;

use crate::{
    history::{Change, number, text},
    lifecycle::Customer,
    person::Asked,
    virtual_time,
};

/// How long after its write a change is answered at most, without faults, in milliseconds.
const ANSWERED: u64 = 3_000;

/// How long the cache may show what has changed, in milliseconds: an entry is filled up to 9 s after a read, and
/// lives for 30 s.
const KEPT: u64 = 40_000;

impl Customer {
    /// Looks at the tenant. It is shown with every change that was answered before, among them one made at
    /// `known`, unless the cache may have missed a write.
    pub(crate) async fn look(&self, tenant: &str, known: u64) {
        let start = virtual_time::elapsed_ms();
        let operator = self.world.operator().await;
        let path = format!("/tenants/{tenant}");
        let shown = self.world.ask(Asked::get(&path, &operator)).await;
        let kept = start.saturating_sub(KEPT);
        let seen = match self.world.faults.may_have_hidden_a_write_since(kept) {
            true => kept,
            false => known.max(start.saturating_sub(ANSWERED)),
        };
        let changes = self.changes_of(tenant);
        let latest = changes.iter().rposition(|change| change.at <= seen).unwrap_or(0);
        let is_current = changes[latest..].iter().map(|change| change.after()).any(|tenant| {
            if shown.status == 404 {
                return tenant.get("deleted").is_none_or(|deleted| deleted["BOOL"] == true);
            }
            let same = ["name", "modifiedOn"].map(|name| text(tenant, name) == shown.text(name));
            same == [true, true] && shown.body["status"] == number(tenant, "status")
        });
        if !is_current {
            let how = format!("{tenant} at {seen}: {} {}", shown.status, shown.body);
            self.world.violated("a tenant is shown as it is", &how);
        }
    }

    /// Checks that a tenant has had this value: the change was answered. Returns when it was made.
    pub(crate) fn must_have_been(&self, tenant: &str, member: &str, value: &str) -> u64 {
        let changes = self.changes_of(tenant);
        let had = changes.iter().rev().find(|change| text(change.after(), member) == value);
        let Some(change) = had else {
            let how = format!("{member} of tenant {tenant} was never {value}");
            self.world.violated("an answered change is stored", &how);
        };
        change.at
    }

    /// Returns all changes of the tenant, oldest first.
    fn changes_of(&self, tenant: &str) -> Vec<Arc<Change>> {
        self.world.history.of(&format!("TENANT#{tenant}"), "TENANT")
    }
}
