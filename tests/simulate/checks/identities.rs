//! The admins of tenants at the identity provider.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::plain;
use crate::{
    history::{Change, Image, text},
    world::World,
};

impl World {
    /// Checks that a tenant is set up when the job that does so has succeeded: in the oldest pool of its
    /// owner, which every set-up finds.
    pub(super) fn check_identity(&self, change: &Change) {
        let (before, job) = (text(change.before(), "state"), change.after());
        let has_succeeded = before == "setting_up_identity" && text(job, "state") == "succeeded";
        if !has_succeeded || text(job, "identityProvider") != "cognito" {
            return;
        }
        let job = Job::read(job);
        let pools = self.cognito.pools_of(&job.pool_mark());
        let is_set_up = pools.first().is_some_and(|oldest| {
            let admin = job.contacts().find(|contact| contact["isPrimary"] == true);
            let admin = admin.or(job.contacts().next()).map_or(&Value::Null, |it| &it["email"]);
            let client = format!("client-{}", job.key());
            oldest.clients.contains(&client)
                && oldest.has(&job.group(), admin.as_str().unwrap_or(""))
        });
        if !is_set_up {
            let how = format!("{} with {} pools of {}", change.key.1, pools.len(), job.pool_mark());
            self.violated("a job succeeds when its tenant is set up", &how);
        }
    }

    /// Checks that only a tenant's own contacts are its admins.
    pub(super) fn check_admins(&self) {
        let changes = self.history.since(0);
        let jobs = changes.iter().filter(|change| change.entity() == "job");
        let jobs = jobs.map(|change| Job::read(change.after()));
        let own: BTreeSet<_> = jobs
            .flat_map(|job| {
                let email = |contact: &Value| contact["email"].as_str().map(str::to_owned);
                let of = |email| (job.group(), email);
                job.contacts().filter_map(email).map(of).collect::<Vec<_>>()
            })
            .collect();
        let pools = self.cognito.all();
        let foreign =
            pools.iter().flat_map(|pool| &pool.members).find(|member| !own.contains(member));
        if let Some((group, _)) = foreign {
            self.violated("only a tenant's contacts are its admins", group);
        }
    }
}

/// A job as plain JSON.
struct Job(Value);

impl Job {
    fn read(image: &Image) -> Self {
        Self(plain(&json!({ "M": image })))
    }

    fn text(&self, pointer: &str) -> &str {
        self.0.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    fn key(&self) -> &str {
        self.text("/tenant/key")
    }

    fn contacts(&self) -> impl Iterator<Item = &Value> {
        self.0["tenant"]["contacts"].as_array().into_iter().flatten()
    }

    /// Returns the mark of the pool in which the tenant is set up: its own, or that of its tier.
    fn pool_mark(&self) -> String {
        match self.text("/isolation") {
            "silo" => format!("tenant:{}", self.text("/tenantId")),
            _ => format!("tier:{}", self.text("/tier").to_lowercase()),
        }
    }

    fn group(&self) -> String {
        format!("admins-{}", self.key())
    }
}
