use super::{Move, PeriodInvoice, Subscription};
use crate::{EventType, InvoiceId, Standing, SuspensionReason, UserId};
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
    /// The job that moves the tenant to other terms.
    pub opens: Option<Move>,
}

impl Decision {
    /// Creates a decision with no effect but the new subscription.
    #[must_use]
    pub fn new(subscription: Subscription) -> Self {
        let (events, invoice, paid, tenant, opens) = (Vec::new(), None, None, None, None);
        Self { subscription, events, invoice, paid, tenant, opens }
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
            opens: then.opens.or(self.opens),
            subscription: then.subscription,
        })
    }
}
