//! Subscriptions of tenants to plans. Each action is a function of the subscription, the tenant's
//! standing and the time, and returns a [`Decision`].

mod billing;
mod bodies;
mod cancel;
mod change;
mod decision;
mod due;
mod payment;
mod period;
mod phase;
mod proration;
mod start;
#[cfg(test)]
mod tests;
mod timer;
mod view;

pub use billing::{InvoiceLine, LineKind, PeriodInvoice};
pub use bodies::{NewPlanChange, NewSubscription};
pub use cancel::Cancellation;
pub use change::{Move, PendingChange, PlanChange, Quote, When};
pub use decision::{Context, Decision, StandingChange};
pub use payment::{PaymentOutcome, PaymentSignal};
pub use period::Period;
pub use phase::Phase;
pub use proration::{Adjustment, AdjustmentKind, MAX_ADJUSTMENTS, Proration};
use start::length_of;
pub use start::{PENDING_LIFE, TRIAL_NOTICE, Trial};
pub use timer::{Timer, TimerAction, TimerSubject};

use serde::{Deserialize, Serialize};

use crate::values::ForwardedMetadata;
use crate::{Audit, InvoiceId, Metadata, PlanTerms, Refusal, SubscriptionId, TenantId, Text};
use schema::{Day, Timestamp, body};

body! {
    /// The properties of a subscription that clients can change.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub struct SubscriptionDetails {
        /// Whether another period follows. True by default.
        pub auto_renew: Option<bool>,
        /// Data of other programs.
        pub meta_data: Option<Metadata> as Option<ForwardedMetadata>,
    }
}

/// A subscription of a tenant to a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// The subscription's ID.
    pub id: SubscriptionId,
    /// The tenant, also called the subscriber.
    pub tenant_id: TenantId,
    /// The terms, as they were when the subscription began or was last changed.
    pub plan: PlanTerms,
    /// The phase.
    pub phase: Phase,
    /// The properties that clients can change.
    #[serde(flatten)]
    pub details: SubscriptionDetails,
    /// The current period, or the last one. `None` until the subscription is activated.
    pub current_period: Option<Period>,
    /// The day of the month on which periods of months or years end, if it has one.
    pub anchor_day: Option<i8>,
    /// The length of the trial in days, or 0.
    pub trial_days: u32,
    /// When the trial ends, or ended.
    pub trial_ends_on: Option<Timestamp>,
    /// When to give notice that the trial ends soon. `None` if that is done.
    pub trial_notice_on: Option<Timestamp>,
    /// Whether the subscription is cancelled at the end of its period.
    pub cancel_at_period_end: bool,
    /// Why the subscription was or will be cancelled.
    pub cancel_reason: Option<Text<0, 1000>>,
    /// The terms from the end of the period on.
    pub pending_change: Option<PendingChange>,
    /// Since when something is overdue.
    pub past_due_since: Option<Timestamp>,
    /// When the grace period is over. `None` if that has no effect.
    pub grace_ends_on: Option<Timestamp>,
    /// The overdue invoices.
    pub overdue: Vec<InvoiceId>,
    /// Credits and charges for the next invoice.
    pub adjustments: Vec<Adjustment>,
    /// Since when the tenant is to be reactivated, which an open job prevented.
    pub reactivate_on: Option<Timestamp>,
    /// When the subscription was cancelled or expired.
    pub ended_on: Option<Timestamp>,
    /// The audit fields of the subscription.
    #[serde(flatten)]
    pub audit: Audit,
}

impl Subscription {
    /// Returns whether another period follows the current one, unless the subscription is cancelled.
    #[must_use]
    pub fn auto_renews(&self) -> bool {
        self.details.auto_renew != Some(false)
    }

    /// Returns whether the subscription is or will be in use, so that its tenant can have no other.
    #[must_use]
    pub fn is_current(&self) -> bool {
        !self.phase.has_ended()
    }

    /// Returns the revenue of a month in minor units of the currency, at most 10<sup>15</sup>. There is
    /// none before the first period that is billed, while the subscription is suspended, and after its end.
    #[must_use]
    pub fn monthly_revenue(&self) -> u64 {
        const MOST: u64 = 10_u64.pow(15);
        if !matches!(self.phase, Phase::Active | Phase::PastDue) {
            return 0;
        }
        let price = self.plan.price.minor_units(self.plan.currency_code.minor_digits());
        let units = self.plan.billing_cycle.monthly(price.min(u128::from(u64::MAX)));
        u64::try_from(units).unwrap_or(MOST).min(MOST)
    }

    /// Returns when the subscription ends, or `None` if it renews, is pending or has ended.
    #[must_use]
    pub fn ends_on(&self) -> Option<Timestamp> {
        let ends = self.cancel_at_period_end || !self.auto_renews();
        self.current_period.filter(|_| ends && self.is_current()).map(|period| period.end)
    }

    /// Returns the ID of the invoice for the current period. A trial has none.
    #[must_use]
    pub fn invoice_id(&self) -> Option<InvoiceId> {
        let period = self.current_period.filter(|_| self.phase != Phase::Trialing)?;
        Some(InvoiceId::for_period(self.id, period.start))
    }

    /// Returns the day on which the current period starts.
    #[must_use]
    pub fn start_date(&self) -> Option<Day> {
        self.current_period.map(Period::first_day)
    }

    /// Returns the day on which the current period ends. The end is exclusive.
    #[must_use]
    pub fn end_date(&self) -> Option<Day> {
        self.current_period.map(Period::end_day)
    }

    /// Returns the refusal to set `member` directly, if it follows from an action.
    #[must_use]
    pub fn action_for(member: &str) -> Option<Refusal> {
        const ACTIONS: [(&str, &str); 15] = [
            ("planId", "change"),
            ("plan", "change"),
            ("pendingChange", "change"),
            ("adjustments", "change"),
            ("cancelAtPeriodEnd", "cancel"),
            ("cancelReason", "cancel"),
            ("status", "cancel"),
            ("phase", "cancel"),
            ("endDate", "cancel"),
            ("startDate", "change"),
            ("currentPeriodStart", "change"),
            ("currentPeriodEnd", "cancel"),
            ("overdue", "payments"),
            ("pastDueSince", "payments"),
            ("graceEndsOn", "payments"),
        ];
        let found = ACTIONS.into_iter().find(|(name, _)| *name == member);
        found.map(|(member, action)| Refusal::UseAction { member, action })
    }
}
