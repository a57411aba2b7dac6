use jiff::ToSpan;
use serde::{Deserialize, Serialize};

use super::{Adjustment, AdjustmentKind, Period, Subscription};
use crate::{Amount, InvoiceDetails, InvoiceId, InvoiceStatus, PlanId};
use schema::Day;

/// A line of an invoice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum InvoiceLine {
    /// The price of the period.
    Plan {
        /// The plan.
        plan_id: PlanId,
        /// The price.
        amount: Amount,
    },
    /// A credit or a charge because of an earlier change.
    Adjustment(Adjustment),
}

/// The invoice for a period.
#[derive(Clone, Debug, PartialEq)]
pub struct PeriodInvoice {
    /// The invoice's ID, which follows from the subscription and the period.
    pub id: InvoiceId,
    /// The properties of the invoice.
    pub details: InvoiceDetails,
    /// The parts of the amount.
    pub lines: Vec<InvoiceLine>,
}

impl Subscription {
    /// Begins `period` with its invoice, which takes all adjustments. A credit that exceeds the
    /// invoice remains for the next one.
    pub(super) fn begin(&mut self, period: Period) -> PeriodInvoice {
        self.current_period = Some(period);
        let (currency, digits) = (self.plan.currency_code, self.plan.currency_code.minor_digits());
        let mut taken = std::mem::take(&mut self.adjustments);
        let sum = |kind| -> u128 {
            let of_kind = taken.iter().filter(|adjustment| adjustment.kind == kind);
            of_kind.map(|adjustment| adjustment.amount.minor_units(digits)).sum()
        };
        let due = self.plan.price.minor_units(digits) + sum(AdjustmentKind::Charge);
        let credit = sum(AdjustmentKind::Credit);
        if let Some(last) =
            taken.iter().rfind(|adjustment| adjustment.kind == AdjustmentKind::Credit)
            && credit > due
        {
            let rest = Amount::from_minor_units(credit - due, digits);
            self.adjustments.push(Adjustment { amount: rest, ..last.clone() });
            keep_credits(&mut taken, credit - due, digits);
        }
        let price =
            InvoiceLine::Plan { plan_id: self.plan.plan_id, amount: self.plan.price.clone() };
        let lines = taken.into_iter().map(InvoiceLine::Adjustment);
        PeriodInvoice {
            id: InvoiceId::for_period(self.id, period.start),
            details: InvoiceDetails {
                start_date: period.first_day(),
                end_date: period.last_day(),
                amount: Amount::from_minor_units(due.saturating_sub(credit), digits),
                currency_code: currency,
                due_date: due_date(period, self.plan.grace_days),
                status: InvoiceStatus::Pending,
                invoice_file: None,
            },
            lines: std::iter::once(price).chain(lines).collect(),
        }
    }
}

/// Removes `rest` from the credits, the last ones first, so that the lines add up to the amount.
fn keep_credits(taken: &mut Vec<Adjustment>, mut rest: u128, digits: usize) {
    for credit in taken.iter_mut().rev().filter(|one| one.kind == AdjustmentKind::Credit) {
        let units = credit.amount.minor_units(digits);
        let removed = units.min(rest);
        rest -= removed;
        credit.amount = Amount::from_minor_units(units - removed, digits);
    }
    taken.retain(|adjustment| adjustment.amount != Amount::default());
}

/// An invoice can be paid in time for as many days as the subscription may be past due.
fn due_date(period: Period, grace_days: u32) -> Day {
    period.first_day().date().saturating_add(i64::from(grace_days).days()).into()
}
