use super::{Context, Decision, Phase, StandingChange, Subscription, TimerAction};
use crate::Refusal;
use crate::{EventType, SuspensionReason, TenantStatus};
use schema::Timestamp;

impl Subscription {
    /// Does what a timer says, once: returns `None` if it is done already, or not due yet. Periods
    /// that were missed are renewed one by one, each by its own call.
    ///
    /// # Errors
    ///
    /// [`Refusal::JobOpen`] if the tenant would change while a job is open, or
    /// [`Refusal::TenantState`] if the tenant can't be moved now. The timer tries again later.
    pub fn run(self, action: TimerAction, at: Context<'_>) -> Result<Option<Decision>, Refusal> {
        let Some(due) = self.due_time(action).filter(|due| *due <= at.now) else { return Ok(None) };
        match action {
            TimerAction::PendingEnd => self.end_pending(at),
            TimerAction::TrialNotice => Ok(self.give_notice(at)),
            TimerAction::TrialEnd | TimerAction::PeriodEnd => self.end_period(due, at),
            TimerAction::GraceEnd => self.end_grace(at),
            TimerAction::Move => self.open_move(at),
            TimerAction::Reactivate => self.reactivate(at),
            TimerAction::Deprovision | TimerAction::Retire => return Ok(None),
        }
        .map(Some)
    }

    /// Returns the renewal that the clock should have made by now, or the notice before it. Returns `None`
    /// if none is due, or if the subscription ends with its period.
    #[must_use]
    pub fn late_renewal(&self, at: Context<'_>) -> Option<Decision> {
        let renews = self.auto_renews() && !self.cancel_at_period_end;
        let is_due = |action: &TimerAction| self.due_time(*action).is_some_and(|on| on <= at.now);
        let actions = [TimerAction::TrialNotice, TimerAction::TrialEnd, TimerAction::PeriodEnd];
        let action = actions.into_iter().find(is_due).filter(|_| renews)?;
        self.clone().run(action, at).ok().flatten()
    }

    fn end_pending(self, at: Context<'_>) -> Result<Decision, Refusal> {
        at.tenant.check_no_job()?;
        Ok(self.ended(Phase::Expired, at).with(EventType::SubscriptionExpired))
    }

    fn give_notice(mut self, at: Context<'_>) -> Decision {
        self.trial_notice_on = None;
        self.audit = self.audit.changed(at.now, at.by);
        Decision::new(self).with(EventType::SubscriptionTrialEnding)
    }

    fn end_period(self, end: Timestamp, at: Context<'_>) -> Result<Decision, Refusal> {
        let in_trial = self.phase == Phase::Trialing;
        if self.cancel_at_period_end {
            return self.end_with(Phase::Cancelled, SuspensionReason::Cancelled, at);
        }
        if !self.auto_renews() {
            let reason =
                if in_trial { SuspensionReason::TrialEnded } else { SuspensionReason::Expired };
            return self.end_with(Phase::Expired, reason, at);
        }
        Ok(self.renewed(end, at))
    }

    /// Begins the next period, or the first after a trial. A pending change that needs no move
    /// applies from then on.
    fn renewed(mut self, start: Timestamp, at: Context<'_>) -> Decision {
        let pending = self.pending_change.take();
        let (waiting, change) = match pending {
            Some(change) if change.needs_move(&self.plan) => (Some(change), None),
            change => (None, change),
        };
        let is_changed = change.is_some();
        self.pending_change = waiting;
        if let Some(change) = change {
            self.plan = change.plan;
            self.adapt_grace(at);
        }
        let event = match self.phase {
            Phase::Trialing => EventType::SubscriptionActivated,
            _ => EventType::SubscriptionRenewed,
        };
        if self.phase == Phase::Trialing {
            self.phase = Phase::Active;
        }
        let invoice = Some(self.begin_at(start));
        self.audit = self.audit.changed(at.now, at.by);
        Decision { invoice, ..Decision::new(self) }
            .with(event)
            .with_if(is_changed, EventType::SubscriptionChanged)
    }

    fn end_grace(mut self, at: Context<'_>) -> Result<Decision, Refusal> {
        let change = at.tenant.suspend(SuspensionReason::NonPayment)?;
        (self.phase, self.grace_ends_on, self.reactivate_on) = (Phase::Suspended, None, None);
        self.audit = self.audit.changed(at.now, at.by);
        Ok(Decision { tenant: change, ..Decision::new(self) })
    }

    fn open_move(mut self, at: Context<'_>) -> Result<Decision, Refusal> {
        at.tenant.check_movable()?;
        let opens = self.pending_change.take().map(super::PendingChange::into_move);
        self.audit = self.audit.changed(at.now, at.by);
        Ok(Decision { opens, ..Decision::new(self) })
    }

    fn reactivate(mut self, at: Context<'_>) -> Result<Decision, Refusal> {
        at.tenant.check_no_job()?;
        self.reactivate_on = None;
        self.audit = self.audit.changed(at.now, at.by);
        let is_locked = at.tenant.is_unpaid() && at.tenant.status == TenantStatus::Suspended;
        let change = is_locked.then_some(StandingChange::Reactivate);
        Ok(Decision { tenant: change, ..Decision::new(self) })
    }
}
