//! Jobs that move a tenant to another tier or isolation, and jobs that remove the resources that a move
//! has left behind.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Contact, Context, Error, Isolation, Job, JobKind, JobState, Move, PlanId, PlanTerms, Refusal,
    Result, Subscription, SubscriptionText, Tenant, Text, Tiers, Timer, TimerAction, TimerSubject,
    Word, Work,
};
use schema::Timestamp;

/// The length of a day.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The tier and isolation of a tenant's resources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Placement {
    /// The tier.
    pub tier: Text<1, 100>,
    /// Whether the resources are dedicated or shared.
    pub isolation: Isolation,
    /// The plan of the tenant's subscription, if there is one in use.
    pub plan_id: Option<PlanId>,
}

/// The resources that a tenant had before it was moved to another isolation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Previous {
    /// Whether the resources are dedicated or shared.
    pub isolation: Isolation,
    /// The tier that they were built for.
    pub tier: Text<1, 100>,
    /// When a job removes them.
    pub retire_on: Timestamp,
}

/// The two ends of a move: of the one that a job performs, or of the one after which a job removes the
/// old resources.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MoveEnds {
    /// The old tier and isolation.
    pub from: Placement,
    /// The new tier and isolation.
    pub to: Placement,
    /// The change of the subscription when the move succeeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Move>,
    /// How many days the old resources are kept.
    #[serde(default)]
    pub retention_days: u32,
}

/// The configuration of moves.
#[derive(Clone, Debug)]
pub struct MoveRules {
    /// The tiers that are siloed, for tenants that do not say.
    pub tiers: Tiers,
    /// The time limit of a job.
    pub expiry: Duration,
    /// How many days the old resources are kept.
    pub retention_days: u32,
}

impl Placement {
    fn of(terms: &PlanTerms) -> Self {
        let PlanTerms { tier, isolation, plan_id, .. } = terms;
        Self { tier: tier.clone(), isolation: *isolation, plan_id: Some(*plan_id) }
    }

    /// Returns the JSON Schema of a placement on the wire.
    #[must_use]
    pub fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "tier": { "type": "string" },
                "isolation": <Isolation as Word>::schema(),
                "planId": { "type": ["string", "null"], "format": "uuid" },
            },
            "required": ["tier", "isolation", "planId"],
            "additionalProperties": false,
        })
    }
}

impl Previous {
    /// Returns the JSON Schema of previous resources on the wire.
    #[must_use]
    pub fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "isolation": <Isolation as Word>::schema(),
                "tier": { "type": "string" },
                "retireOn": { "type": "string", "format": "date-time" },
            },
            "required": ["isolation", "tier", "retireOn"],
            "additionalProperties": false,
        })
    }
}

impl MoveEnds {
    /// Returns the resources that the move leaves behind at `now`. A move within an isolation leaves
    /// none, because the pipeline of that isolation changes them in place.
    #[must_use]
    pub fn leaves(&self, now: Timestamp) -> Option<Previous> {
        let Placement { tier, isolation, .. } = &self.from;
        let retire_on = now + DAY * self.retention_days;
        let left = Previous { isolation: *isolation, tier: tier.clone(), retire_on };
        (*isolation != self.to.isolation).then_some(left)
    }
}

impl Tenant {
    /// Returns the tier and isolation of the tenant's resources.
    ///
    /// # Errors
    ///
    /// [`Refusal::TenantState`] if the tenant was never provisioned.
    fn placement(&self, tiers: &Tiers, plan_id: Option<PlanId>) -> Result<Placement, Refusal> {
        let unknown = Refusal::TenantState("The tenant has no tier. Provision it first.");
        let tier = self.tier.clone().ok_or(unknown)?;
        let isolation = self.isolation.unwrap_or_else(|| tiers.isolation(tier.as_str()));
        Ok(Placement { tier, isolation, plan_id })
    }

    /// Checks that a job may remove the resources that the tenant had before it was moved.
    ///
    /// # Errors
    ///
    /// [`Refusal::JobOpen`] if a job is open, or [`Refusal::TenantState`] if there are none.
    pub(crate) fn check_retirable(&self) -> Result<&Previous, Refusal> {
        self.standing().check_no_job()?;
        let none = Refusal::TenantState("The tenant has no previous resources to retire.");
        self.previous.as_ref().ok_or(none)
    }

    /// Returns the timer that retires the resources which the tenant in this `version` had before it
    /// was moved.
    #[must_use]
    pub fn retirement_timer(&self, version: u64) -> Option<Timer> {
        let Previous { retire_on: at, .. } = *self.previous.as_ref()?;
        let (action, subject) = (TimerAction::Retire, TimerSubject::Tenant(self.id));
        Some(Timer { action, subject, version, at })
    }
}

impl Job {
    /// Opens the job that moves `tenant` to the terms of `change`. A tenant in use stays in use. That of a
    /// customer who returns stays suspended until the job succeeds.
    ///
    /// # Errors
    ///
    /// [`Refusal::JobOpen`] if a job is open, or [`Refusal::TenantState`] if the tenant is in another state.
    pub fn open_move(
        tenant: &Tenant,
        contacts: Vec<Contact>,
        subscription: &Subscription,
        change: Move,
        rules: &MoveRules,
        at: Context<'_>,
    ) -> Result<Self> {
        let plan = subscription.phase.is_entitled().then_some(subscription.plan.plan_id);
        let from = tenant.placement(&rules.tiers, plan)?;
        let to = Placement::of(&change.plan);
        let planned = Subscription { plan: change.plan.clone(), ..subscription.clone() };
        let work = Work {
            kind: JobKind::Change,
            subscription: SubscriptionText::planned(&planned)?,
            isolation: to.isolation,
            identity_provider: None,
        };
        let retention_days = rules.retention_days;
        let moves = MoveEnds { from, to, change: Some(change), retention_days };
        let opened = Self::open(tenant, contacts, work, rules.expiry, at.now, at.by)?;
        Ok(Self { moves: Some(moves), ..opened }.with_subscription(Some(subscription.id)))
    }

    /// Opens the job that removes the resources that `tenant` had before it was moved. `jobs` are the
    /// tenant's jobs, newest first.
    ///
    /// # Errors
    ///
    /// [`Refusal::JobOpen`] if a job is open, or [`Refusal::TenantState`] if there are no such
    /// resources.
    pub fn open_retirement(
        tenant: &Tenant,
        contacts: Vec<Contact>,
        jobs: &[Self],
        (tiers, expiry): (&Tiers, Duration),
        at: Context<'_>,
    ) -> Result<Self> {
        let Previous { isolation, tier, .. } = tenant.check_retirable()?;
        let built = jobs.iter().find(|job| {
            let builds = matches!(job.kind, JobKind::Provision | JobKind::Change);
            builds && job.state == JobState::Succeeded && job.isolation == *isolation
        });
        let built = built.ok_or("no job has built the previous resources");
        let built = built.map_err(Error::internal("opening a job"))?;
        let work = Work { kind: JobKind::Retire, ..built.to_deprovisioning() };
        let from = Placement { tier: tier.clone(), isolation: *isolation, plan_id: None };
        let to = tenant.placement(tiers, None)?;
        let moves = MoveEnds { from, to, change: None, retention_days: 0 };
        let opened = Self::open(tenant, contacts, work, expiry, at.now, at.by)?;
        Ok(Self { moves: Some(moves), tier: tier.clone(), ..opened })
    }
}
