//! Invariants that hold when nothing is left to do.

use std::{collections::BTreeMap, sync::Arc};

use crate::{history::text, lifecycle::has_open_job, person::Asked, world::World};

impl World {
    /// Checks everything.
    pub(crate) async fn check_finally(self: &Arc<Self>) {
        self.check_events();
        self.check_periods();
        self.check_on_time();
        self.check_unique();
        self.check_effects();
        self.check_secrets();
        self.check_admins();
        self.check_audit().await;
        self.check_search().await;
    }

    /// Checks that each key and each lead has one tenant.
    fn check_unique(&self) {
        let mut owners = BTreeMap::new();
        for item in self.history.items() {
            if item.entity() != "tenant" {
                continue;
            }
            for member in ["key", "leadId"] {
                let value = text(item.after(), member);
                let before = owners.insert((member, value.to_owned()), item.key.0.clone());
                if !value.is_empty() && before.is_some() {
                    self.violated("a key and a lead have one tenant", &format!("{member} {value}"));
                }
            }
            if has_open_job(item.after()) {
                self.violated("every job ends", &item.key.0);
            }
        }
    }

    /// Checks what was done outside of the table.
    fn check_effects(&self) {
        for (job, executions) in self.effects.executions() {
            if executions.len() > 1 {
                self.violated("a job has one execution", &job);
            }
        }
        let letters = self.services.state().dead_letters().unwrap_or_default();
        if let Some(letter) = letters.first() {
            let how = format!("{} {}: {}", letter.source, letter.function, letter.error);
            self.violated("no event is given up", &how);
        }
        let secrets = self.services.state().secrets().unwrap_or_default();
        if let Some(secret) = secrets.iter().find(|secret| secret.name.contains("/jobs/")) {
            self.violated("the secret of a job is deleted", &secret.name);
        }
    }

    /// Checks that tenants are found by their keys until they are deleted.
    async fn check_search(self: &Arc<Self>) {
        let operator = self.operator().await;
        for item in self.history.items() {
            if item.entity() != "tenant" {
                continue;
            }
            let (id, key) = (text(item.after(), "id"), text(item.after(), "key"));
            let found = self.ask(Asked::get(&format!("/search?q={key}&limit=50"), &operator)).await;
            let is_found = found.body.to_string().contains(id);
            let is_deleted = item.after()["deleted"]["BOOL"] == true;
            if is_found == is_deleted {
                let how = format!("{key}: deleted {is_deleted}, found {is_found}");
                self.violated("the search finds what exists", &how);
            }
        }
    }
}
