use serde::{Deserialize, Serialize};
use strum::{Display, VariantArray};

use super::{Context, Decision, Phase, StandingChange, Subscription, length_of};
use crate::Refusal;
use crate::values::words_from_json;
use crate::{EventType, InvoiceId, InvoiceStatus, NonPayment, TenantStatus, Text};
use schema::{Timestamp, body};

/// The outcome of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Display, VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum PaymentOutcome {
    /// The invoice is overdue.
    Failed,
    /// The invoice is paid.
    Succeeded,
}

words_from_json!(PaymentOutcome);

body! {
    /// The body of `POST /subscriptions/{id}/payments`: a signal of a billing system.
    #[derive(Clone, Debug)]
    pub struct PaymentSignal {
        /// The outcome.
        pub outcome: PaymentOutcome,
        /// Names the signal. A signal with a known reference has no further effect.
        pub reference: Text<1, 250>,
        /// The invoice. That of the current period by default.
        pub invoice_id: Option<InvoiceId>,
        /// When the payment failed or succeeded. Now by default.
        pub on: Option<Timestamp>,
    }
}

impl Subscription {
    /// Returns the invoice that a signal is about.
    ///
    /// # Errors
    ///
    /// [`Refusal::SubscriptionState`] if the signal names no invoice and the current period has none.
    pub fn invoice_of(&self, signal: &PaymentSignal) -> Result<InvoiceId, Refusal> {
        let no_invoice = Refusal::SubscriptionState("There is no invoice yet. Name one.");
        signal.invoice_id.or_else(|| self.invoice_id()).ok_or(no_invoice)
    }

    /// Applies a signal whose reference is new. `invoice` is the status of the invoice that the
    /// signal is about; a failure has no effect on an invoice that is paid or cancelled, so that
    /// signals may arrive in any order.
    ///
    /// # Errors
    ///
    /// [`Refusal::SubscriptionState`] as [`Subscription::invoice_of`].
    pub fn signalled(
        self,
        signal: &PaymentSignal,
        invoice: InvoiceStatus,
        at: Context<'_>,
    ) -> Result<Decision, Refusal> {
        let id = self.invoice_of(signal)?;
        let is_payable = invoice == InvoiceStatus::Pending;
        match signal.outcome {
            PaymentOutcome::Succeeded => {
                let paid = is_payable.then_some(id);
                Ok(Decision { paid, ..self.without_overdue(id, at) })
            }
            PaymentOutcome::Failed if !is_payable || !self.phase.is_billed() => {
                Ok(Decision::new(self))
            }
            PaymentOutcome::Failed => Ok(self.failed(id, signal.on, at)),
        }
    }

    fn failed(mut self, id: InvoiceId, on: Option<Timestamp>, at: Context<'_>) -> Decision {
        if !self.overdue.contains(&id) {
            self.overdue.push(id);
        }
        self.audit = self.audit.changed(at.now, at.by);
        if self.phase != Phase::Active {
            return Decision::new(self);
        }
        self.phase = Phase::PastDue;
        self.past_due_since = Some(on.unwrap_or(at.now).min(at.now));
        self.begin_grace(self.plan.grace_days, at);
        Decision::new(self).with(EventType::SubscriptionPastDue)
    }

    /// The grace period counts from the arrival of the signal, so that a late one takes no day away.
    fn begin_grace(&mut self, days: u32, at: Context<'_>) {
        let grace = length_of(days);
        let has_effect = self.plan.effect_of_non_payment == NonPayment::Suspend;
        self.grace_ends_on = has_effect.then_some(at.now + grace);
    }

    /// Adapts a grace period that runs to other terms.
    pub(super) fn adapt_grace(&mut self, at: Context<'_>) {
        let has_effect = self.plan.effect_of_non_payment == NonPayment::Suspend;
        if self.phase == Phase::PastDue && has_effect != self.grace_ends_on.is_some() {
            self.begin_grace(self.plan.grace_days, at);
        }
    }

    /// Returns the subscription after the invoice `id` was paid, cancelled or deleted, by a signal or by an
    /// edit. If nothing is overdue, it is active again, and so is a tenant that is suspended for
    /// non-payment. While a job prevents that, a timer waits.
    #[must_use]
    pub fn without_overdue(mut self, id: InvoiceId, at: Context<'_>) -> Decision {
        if !self.overdue.contains(&id) {
            return Decision::new(self);
        }
        self.overdue.retain(|overdue| *overdue != id);
        self.audit = self.audit.changed(at.now, at.by);
        let is_late = matches!(self.phase, Phase::PastDue | Phase::Suspended);
        if !self.overdue.is_empty() || !is_late {
            return Decision::new(self);
        }
        self.phase = Phase::Active;
        (self.past_due_since, self.grace_ends_on) = (None, None);
        let unpaid = at.tenant.is_unpaid();
        let can_change = at.tenant.status == TenantStatus::Suspended && !at.tenant.has_open_job;
        self.reactivate_on = (unpaid && !can_change).then_some(at.now);
        let change = (unpaid && can_change).then_some(StandingChange::Reactivate);
        Decision { tenant: change, ..Decision::new(self).with(EventType::SubscriptionChanged) }
    }

    /// Returns the subscription after an operator reactivated its tenant. If something is overdue, a
    /// new grace period begins, of at least a day.
    #[must_use]
    pub fn reactivated_by_hand(mut self, at: Context<'_>) -> Decision {
        if self.phase != Phase::Suspended {
            return Decision::new(self);
        }
        self.phase = Phase::PastDue;
        self.begin_grace(self.plan.grace_days.max(1), at);
        self.audit = self.audit.changed(at.now, at.by);
        Decision::new(self).with(EventType::SubscriptionPastDue)
    }
}
