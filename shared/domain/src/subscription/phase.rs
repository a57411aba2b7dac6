use serde::{Deserialize, Serialize};
use strum::{Display, VariantArray};

use crate::values::words_from_json;

/// The phase of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Display, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Phase {
    /// The tenant is not active yet, or not at the plan's tier.
    Pending,
    /// The trial runs.
    Trialing,
    /// In use, with nothing overdue.
    Active,
    /// An invoice is overdue, within the grace period.
    PastDue,
    /// An invoice is overdue after the grace period.
    Suspended,
    /// Ended by a cancellation.
    Cancelled,
    /// Ended because nothing followed.
    Expired,
}

words_from_json!(Phase);

impl Phase {
    /// Returns the status of ARC SaaS for this phase, a number on the wire.
    #[must_use]
    pub fn status(self) -> u8 {
        match self {
            Self::Pending => 0,
            Self::Trialing | Self::Active | Self::PastDue => 1,
            Self::Suspended => 2,
            Self::Cancelled => 3,
            Self::Expired => 4,
        }
    }

    /// Returns whether the subscription has ended for good.
    #[must_use]
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Cancelled | Self::Expired)
    }

    /// Returns whether the subscription has periods with invoices.
    #[must_use]
    pub fn is_billed(self) -> bool {
        matches!(self, Self::Active | Self::PastDue | Self::Suspended)
    }

    /// Returns whether the tenant is entitled to the plan's features. While it is suspended, the
    /// tenant's status says so.
    #[must_use]
    pub fn is_entitled(self) -> bool {
        self == Self::Trialing || self.is_billed()
    }
}
