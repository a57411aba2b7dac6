use super::{Context, Decision, Period, Phase, Subscription, When};
use crate::refusal::{Refusal, allow_if};
use crate::{EventType, SuspensionReason, TenantStatus, Text};
use schema::body;

body! {
    /// The body of `POST /subscriptions/{id}/cancel`.
    #[derive(Clone, Debug)]
    pub struct Cancellation {
        /// When the cancellation takes effect. At the end of the period by default.
        pub when: Option<When>,
        /// Why the subscription is cancelled.
        pub reason: Option<Text<0, 1000>>,
    }
}

impl Subscription {
    /// Cancels the subscription, now or at the end of its period. A pending subscription is cancelled
    /// at once, and a cancelled one stays as it is.
    ///
    /// # Errors
    ///
    /// [`Refusal::SubscriptionState`] if the subscription has expired, or [`Refusal::JobOpen`] if the
    /// tenant would be suspended while a job is open, or is built and would be in use without one.
    pub fn cancel(mut self, new: Cancellation, at: Context<'_>) -> Result<Decision, Refusal> {
        let has_expired = self.phase == Phase::Expired;
        allow_if(!has_expired, Refusal::SubscriptionState("The subscription has expired."))?;
        if self.phase == Phase::Cancelled {
            return Ok(Decision::new(self));
        }
        let is_new = !self.cancel_at_period_end;
        self.cancel_reason = new.reason.or(self.cancel_reason);
        if self.phase == Phase::Pending {
            let is_built = at.tenant.status == TenantStatus::Provisioning;
            allow_if(!is_built, Refusal::JobOpen)?;
            return Ok(self.ended(Phase::Cancelled, at).with(EventType::SubscriptionCancelled));
        }
        if new.when == Some(When::Now) {
            return self.end_with(Phase::Cancelled, SuspensionReason::Cancelled, at);
        }
        (self.cancel_at_period_end, self.pending_change) = (true, None);
        self.audit = self.audit.changed(at.now, at.by);
        Ok(Decision::new(self).with_if(is_new, EventType::SubscriptionCancelScheduled))
    }

    /// Withdraws a cancellation that has not taken effect.
    ///
    /// # Errors
    ///
    /// [`Refusal::SubscriptionState`] if the subscription has ended.
    pub fn resume(mut self, at: Context<'_>) -> Result<Decision, Refusal> {
        let has_ended = self.phase.has_ended();
        let refusal = Refusal::SubscriptionState("The subscription has ended. Subscribe again.");
        allow_if(!has_ended, refusal)?;
        if !self.cancel_at_period_end {
            return Ok(Decision::new(self));
        }
        (self.cancel_at_period_end, self.cancel_reason) = (false, None);
        self.audit = self.audit.changed(at.now, at.by);
        Ok(Decision::new(self).with(EventType::SubscriptionChanged))
    }

    /// Cancels the subscription because its tenant was deprovisioned or deleted. The tenant is
    /// changed by that, not by the subscription. Returns `None` if the subscription has ended.
    #[must_use]
    pub fn close(self, at: Context<'_>) -> Option<Decision> {
        let has_ended = self.phase.has_ended();
        let decision = (!has_ended).then(|| self.ended(Phase::Cancelled, at))?;
        Some(decision.with(EventType::SubscriptionCancelled))
    }

    /// Ends an activated subscription, which suspends its tenant for the `reason`.
    pub(super) fn end_with(
        self,
        phase: Phase,
        reason: SuspensionReason,
        at: Context<'_>,
    ) -> Result<Decision, Refusal> {
        let change = at.tenant.suspend(reason)?;
        let event = match phase {
            Phase::Cancelled => EventType::SubscriptionCancelled,
            _ => EventType::SubscriptionExpired,
        };
        Ok(Decision { tenant: change, ..self.ended(phase, at).with(event) })
    }

    /// Ends the subscription. A period that runs ends now.
    pub(super) fn ended(mut self, phase: Phase, at: Context<'_>) -> Decision {
        let cut = |period: Period| Period { end: period.end.min(at.now), ..period };
        self.current_period = self.current_period.map(cut);
        self.phase = phase;
        self.ended_on = Some(at.now);
        (self.cancel_at_period_end, self.pending_change) = (false, None);
        (self.trial_notice_on, self.grace_ends_on, self.reactivate_on) = (None, None, None);
        self.audit = self.audit.changed(at.now, at.by);
        Decision::new(self)
    }
}
