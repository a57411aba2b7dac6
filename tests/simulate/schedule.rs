//! Work at certain times: the reconciler, the expiry of items, and the rotation of keys.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use lambda::keys::KeySet;
use ring::rand::{SecureRandom, SystemRandom};
use schema::Timestamp;
use secrecy::ExposeSecret;
use serde_json::json;

use crate::{
    cache, cognito,
    faults::Mishap,
    locked,
    units::{DAY, MINUTE},
    world::World,
};

impl World {
    /// Starts the clock.
    pub(crate) fn keep_time(self: &Arc<Self>) {
        let world = Arc::clone(self);
        tokio::spawn(async move { world.reconcile_on_time().await });
        let world = Arc::clone(self);
        tokio::spawn(async move { world.expire_items().await });
        let world = Arc::clone(self);
        tokio::spawn(async move { world.rotate_keys().await });
        let world = Arc::clone(self);
        tokio::spawn(async move { world.interrupt_services().await });
    }

    /// Invokes the reconciler every minute. The minutes in which nothing is due are skipped, because it
    /// would only read two empty lists.
    async fn reconcile_on_time(self: &Arc<Self>) {
        let mut idle = 0_u32;
        loop {
            let changed = self.history.changed.notified();
            let due = self.history.next_due().and_then(|due| due.split('#').next()?.parse().ok());
            let wait = due.map_or(DAY, |due: Timestamp| due.since(lambda::now()));
            if !wait.is_zero() {
                // A change may bring something that is due earlier.
                let _ = tokio::time::timeout(wait.min(DAY), changed).await;
                continue;
            }
            tokio::time::sleep(self.chance.time(Duration::from_millis(10), MINUTE)).await;
            if self.ignores_schedule() || self.faults.strike(Mishap::Missed, 100, &self.chance) {
                tokio::time::sleep(MINUTE).await;
                continue;
            }
            if self.faults.strike(Mishap::Repeated, 50, &self.chance) {
                // The run of the last minute may still be going on.
                let world = Arc::clone(self);
                tokio::spawn(async move { world.reconcile().await });
            }
            let before = self.history.len();
            self.reconcile().await;
            // A timer that waits for something else is tried again each minute. As long as nothing else
            // changes, most of these minutes are skipped.
            let changes = self.history.since(before);
            let waits = changes.iter().all(|change| change.entity() == "timer");
            idle = if waits { (idle + 1).min(9) } else { 0 };
            self.idle_runs.store(idle, Relaxed);
            let changed = self.history.changed.notified();
            let _ = tokio::time::timeout(MINUTE * (1 << idle), changed).await;
        }
    }

    async fn reconcile(self: &Arc<Self>) {
        // A run that fails is followed by the next one.
        let _ = self.invoke("reconciler", "schedule", json!({})).await;
    }

    async fn expire_items(self: &Arc<Self>) {
        loop {
            tokio::time::sleep(self.chance.time(DAY, DAY * 8)).await;
            if let Err(error) = self.services.sweep_expired() {
                self.violated("items can expire", &error.to_string());
            }
            self.read_history();
        }
    }

    /// Lets services fail for a while. Most outages begin while something happens.
    async fn interrupt_services(self: &Arc<Self>) {
        const SERVICES: [&str; 7] = [
            "DynamoDB",
            "EventBridge",
            "SES",
            "SecretsManager",
            "CodePipeline",
            cache::SERVICE,
            cognito::SERVICE,
        ];
        loop {
            let changed = self.history.changed.notified();
            tokio::time::sleep(self.chance.time(MINUTE, DAY)).await;
            changed.await;
            self.faults.set_down(Some(*self.chance.one(&SERVICES)));
            tokio::time::sleep(self.chance.time(Duration::from_millis(100), MINUTE * 3)).await;
            self.faults.set_down(None);
        }
    }

    /// Rotates the master keys from time to time. Until the next rotation, every function starts anew.
    async fn rotate_keys(self: &Arc<Self>) {
        loop {
            tokio::time::sleep(self.chance.time(DAY * 4, DAY * 20)).await;
            if self.faults.strike(Mishap::Rotated, 500, &self.chance) {
                if let Err(error) = self.rotate_master_keys() {
                    self.violated("keys can be rotated", &error);
                }
                *locked(&self.tokens) = None;
                self.trace.add("the master keys are rotated", &[]);
            }
            for function in &self.services.template().functions {
                tokio::time::sleep(self.chance.time(MINUTE, DAY / 8)).await;
                self.restart(&function.binary);
            }
        }
    }

    /// Does what the rotator does, which Secrets Manager calls step by step.
    fn rotate_master_keys(&self) -> Result<(), String> {
        let failed = |cause: &dyn std::fmt::Display| cause.to_string();
        let env = self.services.env();
        let arn = env.required("MASTER_KEYS_ARN").map_err(|cause| failed(&cause))?;
        let state = self.services.state();
        let secret =
            state.secret(arn).map_err(|cause| failed(&cause))?.ok_or("there is no secret")?;
        let current = KeySet::parse("MASTER_KEYS", &secret.value.as_str().into());
        let current = current.map_err(|cause| failed(&cause))?;
        let mut fresh = [0; 24];
        SystemRandom::new().fill(&mut fresh).map_err(|_| "no random numbers")?;
        let next = current.rotated(hex::encode(fresh).into()).verifying_audit_of(&current);
        state.delete_secret(arn).map_err(|cause| failed(&cause))?;
        let value = next.to_secret();
        let kept = state.add_secret(arn, &secret.name, value.expose_secret(), &secret.token);
        kept.map(drop).map_err(|cause| failed(&cause))
    }
}
