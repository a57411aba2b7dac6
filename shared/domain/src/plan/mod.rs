//! Plans: what tenants can subscribe to.

mod choice;
mod cycle;
mod entity;
mod features;
mod terms;
#[cfg(test)]
pub(crate) mod tests;

pub use choice::{Catalog, LeadPlans, Namer, PlanChoice};
pub(crate) use cycle::utc;
pub use cycle::{BillingCycle, DurationUnit};
pub use features::{FeatureKey, FeatureValue, Features};
pub use terms::{NonPayment, PlanTerms};

use serde::{Deserialize, Serialize};
use serde_json::json;
use strum::{Display, VariantArray};

use crate::job::SafeText;
use crate::refusal::{Refusal, allow_if};
use crate::values::{Whole, words_from_json};
use crate::{Amount, Audit, Currency, Isolation, Metadata, PlanId, Text, Tiers, UserId};
use schema::{Timestamp, body};

/// The state of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Display, VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum PlanState {
    /// Not on offer yet.
    Draft,
    /// On offer.
    Active,
    /// No longer on offer. Subscriptions to the plan go on.
    Archived,
}

words_from_json!(PlanState);

body! {
    /// The properties of a plan that clients can change.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub struct PlanDetails {
        /// The plan's name.
        pub name: Text<1, 100>,
        /// A description for customers.
        pub description: Option<Text<0, 1000>>,
        /// The tier of the plan's tenants.
        pub tier: Text<1, 100> as SafeText<100>,
        /// Whether the plan's tenants get dedicated or shared resources, if the tier does not decide.
        pub isolation: Option<Isolation>,
        /// The price of a period, in whole minor units of the currency.
        pub price: Amount,
        /// The currency of the price.
        pub currency_code: Currency,
        /// The length of a period.
        pub billing_cycle: BillingCycle,
        /// The length of the trial in days. None by default.
        pub trial_days: Option<Whole<0, 730>>,
        /// Whether customers see the plan.
        pub public: Option<bool>,
        /// The features of the plan.
        pub features: Option<Features>,
        /// How many days a subscription may be past due.
        pub grace_days: Option<Whole<0, 365>>,
        /// The effect of an invoice that is overdue after the grace period.
        pub effect_of_non_payment: Option<NonPayment>,
        /// Data of other programs.
        pub meta_data: Option<Metadata>,
    }
    fn check(members) {
        if let (Some(price), Some(currency)) = (&price, currency_code)
            && !is_chargeable(price, currency)
            && let Some(mut at) = members.place(Some("price"))
        {
            let (most, digits) = (MAX_PRICE_DIGITS, currency.minor_digits());
            let rule = format!("must have at most {most} digits before and {digits} after the point");
            at.violate("price", rule, json!({ "whole": most, "fraction": digits }));
        }
    }
}

/// The maximum number of digits of a price before the point.
const MAX_PRICE_DIGITS: usize = 15;

/// Returns whether invoices can charge exactly this price.
fn is_chargeable(price: &Amount, currency: Currency) -> bool {
    let digits = currency.minor_digits();
    let units = price.minor_units(digits);
    let bound = 10_u128.pow(u32::try_from(MAX_PRICE_DIGITS + digits).unwrap_or(0));
    units < bound && Amount::from_minor_units(units, digits) == *price
}

/// A plan: terms to which tenants can subscribe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The plan's ID.
    pub id: PlanId,
    /// The properties that clients can change.
    #[serde(flatten)]
    pub details: PlanDetails,
    /// The plan's state.
    pub state: PlanState,
    /// The number of the plan's terms: 1, and one more for each change after the activation.
    pub revision: u32,
    /// Whether a tenant ever subscribed to the plan. The transaction of the first subscription sets
    /// this if the plan still has the version that was read, so that no deletion can overtake it.
    #[serde(default)]
    pub subscribed: bool,
    /// The audit fields of the plan.
    #[serde(flatten)]
    pub audit: Audit,
}

impl Plan {
    /// Creates a draft.
    #[must_use]
    pub fn create(details: PlanDetails, now: Timestamp, by: &UserId) -> Self {
        Self {
            id: PlanId::generate(),
            details: details.completed(),
            state: PlanState::Draft,
            revision: 1,
            subscribed: false,
            audit: Audit::created(now, by),
        }
    }

    /// Returns the plan in `state`, after an activation or an archiving. No plan becomes a draft again.
    #[must_use]
    pub fn in_state(self, state: PlanState, now: Timestamp, by: &UserId) -> Self {
        if state == self.state || state == PlanState::Draft {
            return self;
        }
        Self { state, audit: self.audit.changed(now, by), ..self }
    }

    /// Returns whether customers see the plan in the catalog.
    #[must_use]
    pub fn is_on_offer(&self) -> bool {
        self.state == PlanState::Active && self.details.public == Some(true) && !self.audit.deleted
    }

    /// Returns the plan as customers see it, without the data of other programs. Returns `None` if
    /// the plan is not on offer.
    #[must_use]
    pub fn for_customers(self) -> Option<Self> {
        let is_on_offer = self.is_on_offer();
        let shown = Self { details: PlanDetails { meta_data: None, ..self.details }, ..self };
        is_on_offer.then_some(shown)
    }

    /// Checks that the plan may be deleted.
    ///
    /// # Errors
    ///
    /// [`Refusal::PlanInUse`] if a tenant ever subscribed to the plan.
    pub fn check_deletable(&self) -> Result<(), Refusal> {
        allow_if(!self.subscribed, Refusal::PlanInUse)
    }

    /// Returns the plan's current terms for a new subscription. The tier has the spelling of `tiers`.
    #[must_use]
    pub fn terms(&self, tiers: &Tiers) -> PlanTerms {
        let details = self.details.clone();
        let isolation = details.isolation.unwrap_or_else(|| tiers.isolation(details.tier.as_str()));
        PlanTerms {
            plan_id: self.id,
            revision: self.revision,
            name: details.name,
            tier: tiers.spelled(details.tier),
            isolation,
            price: details.price,
            currency_code: details.currency_code,
            billing_cycle: details.billing_cycle,
            trial_days: details.trial_days.map_or(0, u32::from),
            grace_days: details.grace_days.map_or(PlanTerms::GRACE_DAYS, u32::from),
            effect_of_non_payment: details.effect_of_non_payment.unwrap_or_default(),
            features: details.features.unwrap_or_default(),
        }
    }

    /// Checks that the plan takes subscribers.
    ///
    /// # Errors
    ///
    /// [`Refusal::PlanNotActive`] if the plan is a draft, archived or deleted.
    pub fn check_active(&self) -> Result<(), Refusal> {
        let is_active = self.state == PlanState::Active && !self.audit.deleted;
        allow_if(is_active, Refusal::PlanNotActive)
    }
}

impl PlanDetails {
    /// Returns the details with the default of every member that has one.
    fn completed(self) -> Self {
        const NO_TRIAL: Whole<0, 730> = Whole::new(0);
        const GRACE: Whole<0, 365> = Whole::new(PlanTerms::GRACE_DAYS);
        Self {
            trial_days: self.trial_days.or(Some(NO_TRIAL)),
            public: self.public.or(Some(false)),
            features: self.features.or_else(|| Some(Features::default())),
            grace_days: self.grace_days.or(Some(GRACE)),
            effect_of_non_payment: self.effect_of_non_payment.or_else(|| Some(Default::default())),
            ..self
        }
    }

    /// Returns whether subscriptions to both have the same terms. Name, description, visibility and
    /// metadata are not terms.
    fn has_terms_of(&self, other: &Self) -> bool {
        let without = |details: &Self| Self {
            name: self.name.clone(),
            description: None,
            public: None,
            meta_data: None,
            ..details.clone()
        };
        without(self) == without(other)
    }
}
