use std::fmt;

use serde_repr::{Deserialize_repr, Serialize_repr};
use strum::{Display, VariantArray};

use crate::{Error, Result};

/// The status of a tenant, a number on the wire.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize_repr, Deserialize_repr, Display, VariantArray,
)]
#[strum(serialize_all = "UPPERCASE")]
#[repr(u8)]
pub enum TenantStatus {
    /// Provisioned and in use.
    Active = 0,
    /// Onboarded but not provisioned yet.
    PendingProvision = 1,
    /// A provisioning job is open.
    Provisioning = 2,
    /// The latest provisioning job failed.
    ProvisionFailed = 3,
    /// A deprovisioning job is open.
    Deprovisioning = 4,
    /// Deprovisioned.
    Inactive = 5,
    /// Provisioned but locked; see [`Suspension`](crate::Suspension).
    Suspended = 6,
}

/// A change of a tenant's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// A provisioning job is opened.
    Provision,
    /// A job is opened that only repeats the failed identity set-up.
    ResumeIdentity,
    /// A provisioning job succeeds.
    Activate,
    /// A provisioning job fails.
    Fail,
    /// A deprovisioning job is opened.
    Deprovision,
    /// A deprovisioning job succeeds.
    Deactivate,
    /// A deprovisioning job fails and the tenant stays in use.
    Restore,
    /// A deprovisioning job fails and the tenant was never in use because provisioning had failed.
    RestoreFailed,
    /// A deprovisioning job fails and the tenant stays suspended.
    RestoreSuspended,
    /// The tenant is locked, or its suspension gets another reason.
    Suspend,
    /// The suspension ends.
    Reactivate,
}

impl TenantStatus {
    /// Every status, indexed by its number.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Returns the status's number on the wire.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Returns the status after `transition`.
    ///
    /// # Errors
    ///
    /// [`Error::IllegalTransition`] if the status does not allow this transition.
    pub fn after(self, transition: Transition) -> Result<Self> {
        use Transition as T;
        Ok(match (self, transition) {
            (Self::PendingProvision | Self::ProvisionFailed, T::Provision) => Self::Provisioning,
            (Self::ProvisionFailed, T::ResumeIdentity) => Self::Provisioning,
            (Self::Provisioning, T::Activate) => Self::Active,
            (Self::Provisioning, T::Fail) => Self::ProvisionFailed,
            (Self::Active | Self::ProvisionFailed | Self::Suspended, T::Deprovision) => {
                Self::Deprovisioning
            }
            (Self::Deprovisioning, T::Deactivate) => Self::Inactive,
            (Self::Deprovisioning, T::Restore) => Self::Active,
            (Self::Deprovisioning, T::RestoreFailed) => Self::ProvisionFailed,
            (Self::Deprovisioning, T::RestoreSuspended) => Self::Suspended,
            (Self::Active | Self::Suspended, T::Suspend) => Self::Suspended,
            (Self::Suspended, T::Reactivate) => Self::Active,
            (from, transition) => return Err(Error::IllegalTransition { from, transition }),
        })
    }
}

impl fmt::Display for Transition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Provision => "be provisioned",
            Self::ResumeIdentity => "resume its identity set-up",
            Self::Activate => "become active",
            Self::Fail => "fail provisioning",
            Self::Deprovision => "be deprovisioned",
            Self::Deactivate => "become inactive",
            Self::Restore => "become active again",
            Self::RestoreFailed => "become PROVISIONFAILED again",
            Self::RestoreSuspended => "become suspended again",
            Self::Suspend => "be suspended",
            Self::Reactivate => "be reactivated",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn these_are_all_legal_transitions() {
        use Transition as T;
        let transitions = [
            T::Provision,
            T::ResumeIdentity,
            T::Activate,
            T::Fail,
            T::Deprovision,
            T::Deactivate,
            T::Restore,
            T::RestoreFailed,
            T::RestoreSuspended,
            T::Suspend,
            T::Reactivate,
        ];
        let mut ways = Vec::new();
        for from in TenantStatus::ALL.iter().copied() {
            for transition in transitions {
                if let Ok(to) = from.after(transition) {
                    ways.push(format!("{from:?} --{transition:?}--> {to:?}"));
                }
            }
        }
        insta::assert_debug_snapshot!(ways, @r#"
        [
            "Active --Deprovision--> Deprovisioning",
            "Active --Suspend--> Suspended",
            "PendingProvision --Provision--> Provisioning",
            "Provisioning --Activate--> Active",
            "Provisioning --Fail--> ProvisionFailed",
            "ProvisionFailed --Provision--> Provisioning",
            "ProvisionFailed --ResumeIdentity--> Provisioning",
            "ProvisionFailed --Deprovision--> Deprovisioning",
            "Deprovisioning --Deactivate--> Inactive",
            "Deprovisioning --Restore--> Active",
            "Deprovisioning --RestoreFailed--> ProvisionFailed",
            "Deprovisioning --RestoreSuspended--> Suspended",
            "Suspended --Deprovision--> Deprovisioning",
            "Suspended --Suspend--> Suspended",
            "Suspended --Reactivate--> Active",
        ]
        "#);
    }
}
