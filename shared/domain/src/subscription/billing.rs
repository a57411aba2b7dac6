use jiff::ToSpan;
use serde::{Deserialize, Serialize};

use super::{Adjustment, AdjustmentKind, Period, Subscription};
use crate::{
    Amount, Audit, Child, Invoice, InvoiceDetails, InvoiceId, InvoiceOrigin, InvoiceStatus, PlanId,
    PlanTerms,
};
use schema::{Day, Timestamp};

/// The kind of a line of an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineKind {
    /// The price of the period.
    Plan,
    /// A credit because of an earlier change.
    Credit,
    /// A charge because of an earlier change.
    Charge,
}

/// A line of an invoice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvoiceLine {
    /// The kind.
    #[serde(rename = "type")]
    pub kind: LineKind,
    /// The plan.
    pub plan_id: PlanId,
    /// The amount, which a credit reduces the invoice by.
    pub amount: Amount,
    /// The number of days of a credit or a charge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// The number of days of the whole period of a credit or a charge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_days: Option<u32>,
    /// When the terms changed, for a credit or a charge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Timestamp>,
}

impl InvoiceLine {
    /// Creates the line for the price of a period.
    fn plan(plan: &PlanTerms) -> Self {
        Self {
            kind: LineKind::Plan,
            plan_id: plan.plan_id,
            amount: plan.price.clone(),
            days: None,
            of_days: None,
            on: None,
        }
    }
}

impl From<Adjustment> for InvoiceLine {
    fn from(Adjustment { kind, plan_id, amount, days, of_days, on, .. }: Adjustment) -> Self {
        let kind = match kind {
            AdjustmentKind::Credit => LineKind::Credit,
            AdjustmentKind::Charge => LineKind::Charge,
        };
        let (days, of_days, on) = (Some(days), Some(of_days), Some(on));
        Self { kind, plan_id, amount, days, of_days, on }
    }
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
    /// Returns the invoice of the subscription's tenant for a period.
    #[must_use]
    pub fn invoice(&self, invoice: &PeriodInvoice) -> Invoice {
        let PeriodInvoice { id, details, lines } = invoice.clone();
        let origin = InvoiceOrigin { subscription_id: Some(self.id), lines };
        let audit = Audit::created(self.audit.modified_on, &self.audit.modified_by);
        Child { id, details, tenant_id: self.tenant_id, origin, audit }
    }

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
        let price = InvoiceLine::plan(&self.plan);
        let lines = taken.into_iter().map(InvoiceLine::from);
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
