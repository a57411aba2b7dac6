use serde::{Deserialize, Serialize};
use strum::{Display, VariantArray};

use super::Period;
use crate::values::words_from_json;
use crate::{Amount, Currency, PlanId, PlanTerms};
use schema::Timestamp;

/// The effect of a change in the middle of a period on the price of that period.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Display, VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Proration {
    /// Nothing.
    #[default]
    None,
    /// The days that remain are credited at the old price and charged at the new one.
    Credit,
}

words_from_json!(Proration);

/// The direction of an adjustment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AdjustmentKind {
    /// Reduces the next invoice.
    Credit,
    /// Increases the next invoice.
    Charge,
}

/// The maximum number of adjustments that wait for an invoice.
pub const MAX_ADJUSTMENTS: usize = 100;

/// A credit or a charge for the next invoice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Adjustment {
    /// The direction.
    #[serde(rename = "type")]
    pub kind: AdjustmentKind,
    /// The plan whose price is credited or charged.
    pub plan_id: PlanId,
    /// The amount, in whole minor units of the currency.
    pub amount: Amount,
    /// The currency of the amount.
    pub currency_code: Currency,
    /// The number of days.
    pub days: u32,
    /// The number of days of a whole period.
    pub of_days: u32,
    /// When the terms changed.
    pub on: Timestamp,
}

impl Adjustment {
    /// Returns the credit and the charge for a change from the `old` to the `new` terms at `now`.
    /// The day of the change counts for the new terms. A charge is a part of what a `new_period`
    /// costs, which has another length than the `period` if the billing cycles differ.
    pub(super) fn for_change(
        (old, period): (&PlanTerms, Period),
        (new, new_period): (&PlanTerms, Period),
        now: Timestamp,
    ) -> Vec<Self> {
        let days = period.days_left(now);
        let line = |kind, terms: &PlanTerms, of_days| Self {
            kind,
            plan_id: terms.plan_id,
            amount: prorated(&terms.price, terms.currency_code, days, of_days),
            currency_code: terms.currency_code,
            days,
            of_days,
            on: now,
        };
        let credit = line(AdjustmentKind::Credit, old, period.days());
        let charge = line(AdjustmentKind::Charge, new, new_period.days());
        let is_something = |line: &Self| line.amount != Amount::default();
        [credit, charge].into_iter().filter(is_something).collect()
    }
}

/// Returns `days` of `of_days` of a price, rounded half up to minor units.
pub(super) fn prorated(price: &Amount, currency: Currency, days: u32, of_days: u32) -> Amount {
    let digits = currency.minor_digits();
    let (days, of_days) = (u128::from(days), u128::from(of_days.max(1)));
    let whole = price.minor_units(digits).saturating_mul(days).saturating_mul(2);
    Amount::from_minor_units(whole.saturating_add(of_days) / (2 * of_days), digits)
}
