use super::{Move, PeriodInvoice, Subscription};
use crate::{EventType, InvoiceId, Retention, Standing, SuspensionReason, UserId};
use schema::Timestamp;

/// The circumstances of an action.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The state of the subscription's tenant.
    pub tenant: Standing,
    /// The time.
    pub now: Timestamp,
    /// The user who acts.
    pub by: &'a UserId,
}

/// A change of the tenant's standing that follows from its subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandingChange {
    /// The tenant is suspended, or its suspension gets this reason.
    Suspend(SuspensionReason),
    /// The suspension ends.
    Reactivate,
}

/// The effects of an action, which are written in one transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The new subscription.
    pub subscription: Subscription,
    /// The types of the events, in order. Tenants, features and invoices have their own, which follow
    /// from their items.
    pub events: Vec<EventType>,
    /// The invoice for a period that begins.
    pub invoice: Option<PeriodInvoice>,
    /// The invoice that was paid.
    pub paid: Option<InvoiceId>,
    /// The change of the tenant.
    pub tenant: Option<StandingChange>,
    /// When a job removes the resources of the tenant that the decision suspends.
    pub deprovision_on: Option<Timestamp>,
    /// The job that moves the tenant to other terms.
    pub opens: Option<Move>,
}

impl Decision {
    /// Creates a decision with no effect but the new subscription.
    #[must_use]
    pub fn new(subscription: Subscription) -> Self {
        let (events, invoice, paid) = (Vec::new(), None, None);
        let (tenant, deprovision_on, opens) = (None, None, None);
        Self { subscription, events, invoice, paid, tenant, deprovision_on, opens }
    }

    /// Sets when the tenant is deprovisioned, if the decision suspends it because its subscription is
    /// cancelled. One whose trial or last period ended is kept, because its customer never gave it up.
    #[must_use]
    pub fn retaining(self, retention: Retention) -> Self {
        let cancelled = StandingChange::Suspend(SuspensionReason::Cancelled);
        let since = self.subscription.audit.modified_on;
        let ends = retention.ends(since).filter(|_| self.tenant == Some(cancelled));
        Self { deprovision_on: ends, ..self }
    }

    /// Adds an event.
    pub(super) fn with(mut self, event: EventType) -> Self {
        self.events.push(event);
        self
    }

    /// Adds an event if the condition holds.
    pub(super) fn with_if(self, holds: bool, event: EventType) -> Self {
        if holds { self.with(event) } else { self }
    }

    /// Adds the decision that follows from this one, with the subscription as it is by then.
    ///
    /// # Errors
    ///
    /// The errors of `next`.
    pub fn and_then<E>(
        self,
        next: impl FnOnce(Subscription) -> Result<Self, E>,
    ) -> Result<Self, E> {
        let then = next(self.subscription)?;
        Ok(Self {
            events: [self.events, then.events].concat(),
            invoice: then.invoice.or(self.invoice),
            paid: then.paid.or(self.paid),
            tenant: then.tenant.or(self.tenant),
            deprovision_on: then.deprovision_on.or(self.deprovision_on),
            opens: then.opens.or(self.opens),
            subscription: then.subscription,
        })
    }
}
