use strum::{Display, EnumString};

use super::Plan;
use crate::refusal::{Refusal, allow_if};

/// The sources of the terms of a lead's tenant: the values of `LEAD_PLANS`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Display, EnumString)]
#[strum(serialize_all = "lowercase")]
pub enum LeadPlans {
    /// Leads may send their own terms until the catalog has opened.
    #[default]
    Auto,
    /// Leads choose a plan of the catalog.
    Catalog,
    /// Leads may send their own terms.
    Free,
}

/// Whether a public plan was ever active. An opened catalog stays open for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Catalog {
    /// No public plan was active yet.
    Unopened,
    /// A public plan was active once.
    Opened,
}

/// The caller who names a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namer {
    /// A lead, for its own tenant.
    Lead,
    /// An operator.
    Operator,
}

/// The terms that a caller chooses for a tenant.
#[derive(Clone, Copy, Debug)]
pub enum PlanChoice<'a> {
    /// The terms in the body, as the facades of ARC SaaS send them. A body with `plan` is this form,
    /// whatever its `planId` says.
    FreeForm,
    /// A plan by its ID.
    Named(&'a Plan),
}

impl LeadPlans {
    /// Checks that the caller may choose this.
    ///
    /// # Errors
    ///
    /// [`Refusal::PlanNotPublic`] for a lead, or [`Refusal::PlanNotActive`] for an operator.
    pub fn check(
        self,
        catalog: Catalog,
        namer: Namer,
        choice: PlanChoice<'_>,
    ) -> Result<(), Refusal> {
        match (namer, choice) {
            (Namer::Operator, PlanChoice::FreeForm) => Ok(()),
            (Namer::Operator, PlanChoice::Named(plan)) => plan.check_active(),
            (Namer::Lead, PlanChoice::Named(plan)) => {
                allow_if(plan.is_on_offer(), Refusal::PlanNotPublic)
            }
            (Namer::Lead, PlanChoice::FreeForm) => {
                allow_if(self.allows_free_form(catalog), Refusal::PlanNotPublic)
            }
        }
    }

    fn allows_free_form(self, catalog: Catalog) -> bool {
        match self {
            Self::Free => true,
            Self::Catalog => false,
            Self::Auto => catalog == Catalog::Unopened,
        }
    }
}
