use serde::{Deserialize, Serialize};
use strum::{Display, VariantArray};

use super::{BillingCycle, Features};
use crate::values::words_from_json;
use crate::{Amount, Currency, Isolation, PlanId, Text};

/// The effect of an invoice that is overdue after the grace period.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Display, VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum NonPayment {
    /// The tenant is suspended.
    #[default]
    Suspend,
    /// The subscription stays past due.
    None,
}

words_from_json!(NonPayment);

/// The terms of a revision of a plan. A subscription keeps those that it began with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanTerms {
    /// The plan's ID.
    pub plan_id: PlanId,
    /// The plan's revision.
    pub revision: u32,
    /// The plan's name.
    pub name: Text<1, 100>,
    /// The tier of the plan's tenants.
    pub tier: Text<1, 100>,
    /// Whether the plan's tenants get dedicated or shared resources.
    pub isolation: Isolation,
    /// The price of a period.
    pub price: Amount,
    /// The currency of the price.
    pub currency_code: Currency,
    /// The length of a period.
    pub billing_cycle: BillingCycle,
    /// The length of the trial in days.
    pub trial_days: u32,
    /// How many days a subscription may be past due.
    pub grace_days: u32,
    /// The effect of an invoice that is overdue after the grace period.
    pub effect_of_non_payment: NonPayment,
    /// The features of the plan.
    pub features: Features,
}

impl PlanTerms {
    /// The default of `graceDays`.
    pub const GRACE_DAYS: u32 = 7;

    /// Returns whether resources of this tier and isolation are those of the plan. Tiers are compared
    /// without case.
    #[must_use]
    pub fn is_placed(&self, tier: &str, isolation: Isolation) -> bool {
        self.isolation == isolation && self.tier.as_str().to_lowercase() == tier.to_lowercase()
    }

    /// Returns whether a tenant under these terms must be moved for the `other` terms.
    #[must_use]
    pub fn needs_move_to(&self, other: &Self) -> bool {
        !other.is_placed(self.tier.as_str(), self.isolation)
    }

    /// Returns whether both are the same revision of the same plan.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        (self.plan_id, self.revision) == (other.plan_id, other.revision)
    }
}
