use std::time::Duration;

use super::{Context, Decision, Period, Phase, StandingChange, Subscription, SubscriptionDetails};
use crate::refusal::{Refusal, allow_if};
use crate::{Audit, EventType, PlanId, PlanTerms, SubscriptionId, TenantId, TenantStatus};
use schema::Timestamp;

/// How long a subscription waits for its tenant.
pub const PENDING_LIFE: Duration = length_of(30);

/// How long before its end the notice of a trial is due, as for Stripe Billing's
/// `customer.subscription.trial_will_end`. A shorter trial has its notice at once.
pub const TRIAL_NOTICE: Duration = length_of(3);

/// Returns the length of this many days of 24 hours.
pub(super) const fn length_of(days: u32) -> Duration {
    Duration::from_secs(days as u64 * 24 * 3600)
}

/// Whether a subscription begins with the trial of its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trial {
    /// The subscription begins with the trial, if the plan has one.
    Offered,
    /// The subscription begins with a paid period.
    Declined,
}

impl Subscription {
    /// Subscribes a tenant, whose subscription that has not ended is `current`. The new subscription is
    /// pending; if the tenant has the plan's tier and isolation, [`Subscription::activate`] follows.
    ///
    /// # Errors
    ///
    /// [`Refusal::SubscriptionExists`] if there is a current subscription, or
    /// [`Refusal::TenantState`] if the tenant was or is being deprovisioned.
    pub fn subscribe(
        tenant_id: TenantId,
        plan: PlanTerms,
        trial: Trial,
        current: Option<SubscriptionId>,
        at: Context<'_>,
    ) -> Result<Decision, Refusal> {
        allow_if(current.is_none(), Refusal::SubscriptionExists)?;
        let status = at.tenant.status;
        let is_gone = matches!(status, TenantStatus::Deprovisioning | TenantStatus::Inactive);
        allow_if(!is_gone, Refusal::TenantState("The tenant is or will be deprovisioned."))?;
        let trial_days = if trial == Trial::Offered { plan.trial_days } else { 0 };
        Ok(Decision::new(Self {
            id: SubscriptionId::generate(),
            tenant_id,
            plan,
            phase: Phase::Pending,
            details: SubscriptionDetails { auto_renew: None, meta_data: None },
            current_period: None,
            anchor_day: None,
            trial_days,
            trial_ends_on: None,
            trial_notice_on: None,
            cancel_at_period_end: false,
            cancel_reason: None,
            pending_change: None,
            past_due_since: None,
            grace_ends_on: None,
            overdue: Vec::new(),
            adjustments: Vec::new(),
            reactivate_on: None,
            ended_on: None,
            audit: Audit::created(at.now, at.by),
        })
        .with(EventType::SubscriptionCreated))
    }

    /// Returns the decision about the subscription of a tenant that is provisioned by plan: its
    /// `current` subscription as it is, if it waits for the tenant on this plan, or else a new one.
    ///
    /// # Errors
    ///
    /// [`Refusal::SubscriptionExists`] if the current subscription is to another plan or has begun;
    /// otherwise the same as [`Subscription::subscribe`].
    pub fn provision(
        tenant_id: TenantId,
        plan: PlanTerms,
        current: Option<&Self>,
        at: Context<'_>,
    ) -> Result<Decision, Refusal> {
        match current {
            Some(current) if current.waits_on(plan.plan_id) => Ok(Decision::new(current.clone())),
            _ => {
                let current = current.map(|current| current.id);
                Self::subscribe(tenant_id, plan, Trial::Offered, current, at)
            }
        }
    }

    /// Returns whether the subscription is to this plan and waits for its tenant.
    #[must_use]
    pub fn waits_on(&self, plan: PlanId) -> bool {
        self.phase == Phase::Pending && self.plan.plan_id == plan
    }

    /// Begins the trial or the first period of a pending subscription, because the tenant is active
    /// with the plan's tier and isolation. A tenant whose earlier subscription suspended it is
    /// reactivated; one that was suspended by hand stays suspended.
    ///
    /// # Errors
    ///
    /// [`Refusal::SubscriptionState`] if the subscription is not pending, [`Refusal::TenantState`] if
    /// the tenant is neither active nor suspended, or [`Refusal::JobOpen`] if a job prevents its
    /// reactivation.
    pub fn activate(mut self, at: Context<'_>) -> Result<Decision, Refusal> {
        let pending = self.phase == Phase::Pending;
        allow_if(pending, Refusal::SubscriptionState("The subscription was already activated."))?;
        let is_built = matches!(at.tenant.status, TenantStatus::Active | TenantStatus::Suspended);
        allow_if(is_built, Refusal::TenantState("The tenant is not active."))?;
        let reactivates = at.tenant.is_suspended_by_subscription();
        allow_if(!reactivates || !at.tenant.has_open_job, Refusal::JobOpen)?;
        let mut invoice = None;
        if self.trial_days > 0 {
            let end = at.now + length_of(self.trial_days);
            self.phase = Phase::Trialing;
            self.current_period = Some(Period { start: at.now, end });
            self.trial_ends_on = Some(end);
            self.trial_notice_on = Some((end - TRIAL_NOTICE).max(at.now));
        } else {
            self.phase = Phase::Active;
            invoice = Some(self.begin_at(at.now));
        }
        self.audit = self.audit.changed(at.now, at.by);
        let change = reactivates.then_some(StandingChange::Reactivate);
        let decision =
            Decision { invoice, ..Decision::new(self) }.with(EventType::SubscriptionActivated);
        Ok(Decision { tenant: change, ..decision })
    }

    /// Begins the period that starts at `start`, with its invoice.
    pub(super) fn begin_at(&mut self, start: Timestamp) -> super::PeriodInvoice {
        let (period, anchor_day) = self.period_at(&self.plan, start);
        self.anchor_day = anchor_day;
        self.begin(period)
    }

    /// Returns the period of `plan` that would start at `start`, and its anchor day.
    pub(super) fn period_at(&self, plan: &PlanTerms, start: Timestamp) -> (Period, Option<i8>) {
        let cycle = plan.billing_cycle;
        let day = crate::plan::utc(start).day();
        let anchor = self.anchor_day.unwrap_or(day);
        let period = Period { start, end: cycle.end_of(start, anchor) };
        (period, cycle.keeps_day_of_month().then_some(anchor))
    }
}
