use serde::{Deserialize, Serialize};
use strum::{Display, VariantArray};

use super::{Adjustment, Context, Decision, MAX_ADJUSTMENTS, Phase, Proration, Subscription};
use crate::refusal::{Allowed, Refusal, allow_if};
use crate::values::words_from_json;
use crate::{EventType, PlanTerms};
use schema::Timestamp;

/// When a change or a cancellation takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Display, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum When {
    /// At once.
    Now,
    /// At the end of the current period.
    PeriodEnd,
}

words_from_json!(When);

/// A change at the end of the period. It keeps the terms of its day: the plan may change until then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PendingChange {
    /// The new terms.
    pub plan: PlanTerms,
    /// When they apply.
    pub on: Timestamp,
}

impl PendingChange {
    /// Returns whether the tenant must be moved from the `current` terms.
    #[must_use]
    pub fn needs_move(&self, current: &PlanTerms) -> bool {
        current.needs_move_to(&self.plan)
    }

    /// Returns the move for this change. The period has already begun at the old price, so the days
    /// that remain are credited and charged.
    pub(super) fn into_move(self) -> Move {
        Move { plan: self.plan, proration: Proration::Credit }
    }
}

/// A change that needs a job, because tier or isolation differ. The subscription changes when the job
/// has succeeded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Move {
    /// The new terms.
    pub plan: PlanTerms,
    /// The effect on the price of the period in which the job succeeds.
    pub proration: Proration,
}

/// The effect of a request to change the plan.
#[derive(Clone, Debug, PartialEq)]
pub enum PlanChange {
    /// The subscription is changed, now or at the end of its period.
    Decided(Box<Decision>),
    /// A job must move the tenant first.
    Moves(Box<Move>),
}

/// The answer to a dry run of a change.
#[derive(Clone, Debug, PartialEq)]
pub struct Quote {
    /// The credits and charges.
    pub lines: Vec<Adjustment>,
    /// When the change takes effect, at the earliest.
    pub on: Timestamp,
    /// Whether a job must move the tenant.
    pub needs_job: bool,
}

impl Subscription {
    /// Changes the plan. The `plan` that the subscription already has withdraws a pending change.
    ///
    /// # Errors
    ///
    /// As [`Subscription::quote`]. A change now is also refused with [`Refusal::JobOpen`] if a job is
    /// open, and with [`Refusal::TenantState`] if it needs a move and the tenant is not active.
    pub fn change(
        mut self,
        plan: PlanTerms,
        when: When,
        proration: Proration,
        at: Context<'_>,
    ) -> Result<PlanChange, Refusal> {
        let quote = self.quote(&plan, when, proration, at.now)?;
        let decided = |decision| Ok(PlanChange::Decided(Box::new(decision)));
        if self.plan.is_same(&plan) {
            if self.pending_change.take().is_some() {
                self.audit = self.audit.changed(at.now, at.by);
            }
            return decided(Decision::new(self));
        }
        if when == When::PeriodEnd {
            self.pending_change = Some(PendingChange { plan, on: quote.on });
            self.audit = self.audit.changed(at.now, at.by);
            return decided(Decision::new(self));
        }
        at.tenant.check_no_job()?;
        if quote.needs_job {
            at.tenant.check_movable()?;
            return Ok(PlanChange::Moves(Box::new(Move { plan, proration })));
        }
        decided(self.with_terms(plan, quote.lines, at))
    }

    /// Returns what a change would cost and need.
    ///
    /// # Errors
    ///
    /// [`Refusal::SubscriptionState`] if the phase does not allow a change, if the subscription ends
    /// before the change, or if credits can't be taken by an invoice in another currency.
    pub fn quote(
        &self,
        plan: &PlanTerms,
        when: When,
        proration: Proration,
        now: Timestamp,
    ) -> Result<Quote, Refusal> {
        let refusal = match self.phase {
            Phase::Trialing | Phase::Active | Phase::PastDue => None,
            Phase::Pending => Some("The subscription is pending. Cancel it and subscribe again."),
            Phase::Suspended => Some("The subscription is suspended. Pay what is overdue first."),
            Phase::Cancelled | Phase::Expired => {
                Some("The subscription has ended. Subscribe again.")
            }
        };
        refusal.map_or(Ok(()), |why| Err(Refusal::SubscriptionState(why)))?;
        let ends = when == When::PeriodEnd && self.cancel_at_period_end;
        let refusal = "The subscription is cancelled at the end of its period. Resume it first.";
        allow_if(!ends, Refusal::SubscriptionState(refusal))?;
        let needs_job = self.plan.needs_move_to(plan);
        let end = self.current_period.map_or(now, |period| period.end);
        let on = if when == When::Now { now } else { end };
        let is_prorated = when == When::Now && !self.plan.is_same(plan);
        let lines = if is_prorated { self.lines(plan, proration, now) } else { Vec::new() };
        self.check_lines(plan, &lines)?;
        Ok(Quote { lines, on, needs_job })
    }

    /// Applies the terms to which a job has moved the tenant, at the price of the day on which the
    /// job succeeded. A pending subscription is activated. Returns `None` if the subscription has ended.
    ///
    /// The tenant was moved already, so credits and charges that an invoice can no longer take do not
    /// prevent the change: they are left out.
    ///
    /// # Errors
    ///
    /// As [`Subscription::activate`].
    pub fn moved(self, to: Move, at: Context<'_>) -> Result<Option<Decision>, Refusal> {
        if self.phase == Phase::Pending {
            return self.activate(at).map(Some);
        }
        if !self.phase.is_entitled() {
            return Ok(None);
        }
        let mut lines = self.lines(&to.plan, to.proration, at.now);
        if self.check_lines(&to.plan, &lines).is_err() {
            lines.clear();
        }
        Ok(Some(self.with_terms(to.plan, lines, at)))
    }

    fn with_terms(mut self, plan: PlanTerms, lines: Vec<Adjustment>, at: Context<'_>) -> Decision {
        self.plan = plan;
        self.adapt_grace(at);
        self.adjustments.extend(lines);
        self.pending_change = None;
        self.audit = self.audit.changed(at.now, at.by);
        Decision::new(self).with(EventType::SubscriptionChanged)
    }

    /// Returns the credits and charges of a change now. A trial has no price.
    fn lines(&self, plan: &PlanTerms, proration: Proration, now: Timestamp) -> Vec<Adjustment> {
        let Some(period) = self.current_period.filter(|_| self.phase.is_billed()) else {
            return Vec::new();
        };
        match proration {
            Proration::None => Vec::new(),
            Proration::Credit => {
                let (new_period, _) = self.period_at(plan, period.start);
                Adjustment::for_change((&self.plan, period), (plan, new_period), now)
            }
        }
    }

    fn check_lines(&self, plan: &PlanTerms, lines: &[Adjustment]) -> Allowed {
        let mut all = self.adjustments.iter().chain(lines);
        let refusal = "Credits and charges can't be taken by an invoice in another currency.";
        let fits = all.all(|line| line.currency_code == plan.currency_code);
        allow_if(fits, Refusal::SubscriptionState(refusal))?;
        let refusal = "There were too many changes in this period. Change at its end.";
        let few = self.adjustments.len() + lines.len() <= MAX_ADJUSTMENTS;
        allow_if(few, Refusal::SubscriptionState(refusal))
    }
}
