use serde::{Deserialize, Serialize};
use strum::{Display, EnumString};

use crate::{JobKind, JobState, TenantStatus};

/// The type of an event on the bus, its `detail-type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Display, EnumString)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum EventType {
    /// A lead was created.
    LeadCreated,
    /// A verified lead asked for another link.
    LeadLinkRequested,
    /// A provisioning job was opened.
    TenantProvisioning,
    /// The build of a provisioning job succeeded, or only the identity set-up is repeated.
    TenantIdentitySetup,
    /// A provisioning job succeeded.
    TenantProvisioningSuccess,
    /// A provisioning job failed or timed out.
    TenantProvisioningFailure,
    /// A deprovisioning job was opened.
    TenantDeprovisioning,
    /// A deprovisioning job succeeded.
    TenantDeprovisioningSuccess,
    /// A deprovisioning job failed or timed out.
    TenantDeprovisioningFailure,
    /// A job that moves a tenant to another tier or isolation was opened.
    TenantChanging,
    /// A tenant was moved.
    TenantChangingSuccess,
    /// A move failed or timed out. The tenant is as it was.
    TenantChangingFailure,
    /// A job that removes the resources from before a move was opened.
    TenantRetiring,
    /// The resources from before a move were removed.
    TenantRetiringSuccess,
    /// The removal of the resources from before a move failed or timed out.
    TenantRetiringFailure,
    /// A tenant was subscribed to a plan.
    SubscriptionCreated,
    /// A subscription, or its trial, began.
    SubscriptionActivated,
    /// The trial of a subscription ends soon.
    SubscriptionTrialEnding,
    /// A further period of a subscription began.
    SubscriptionRenewed,
    /// The terms of a subscription changed, its scheduled cancellation was withdrawn, or everything
    /// overdue was paid.
    SubscriptionChanged,
    /// A subscription will be cancelled at the end of its period.
    SubscriptionCancelScheduled,
    /// A subscription was cancelled.
    SubscriptionCancelled,
    /// A payment for a subscription failed.
    SubscriptionPastDue,
    /// A subscription ended because it was not renewed.
    SubscriptionExpired,
    /// A tenant was suspended.
    TenantSuspended,
    /// The suspension of a tenant ended.
    TenantReactivated,
    /// The features that a tenant may use changed.
    EntitlementsChanged,
}

impl EventType {
    /// Returns the type of event for a tenant that changes its status, or `None` if its suspension
    /// neither begins nor ends. Jobs have events of their own.
    #[must_use]
    pub fn for_tenant(from: TenantStatus, to: TenantStatus) -> Option<Self> {
        match (from, to) {
            (TenantStatus::Active, TenantStatus::Suspended) => Some(Self::TenantSuspended),
            (TenantStatus::Suspended, TenantStatus::Active) => Some(Self::TenantReactivated),
            _ => None,
        }
    }

    /// Returns the type of event for a job in this state, or `None` if no consumer waits
    /// for it.
    #[must_use]
    pub fn for_job(kind: JobKind, state: JobState) -> Option<Self> {
        match (kind, state) {
            (_, JobState::Running)
            | (
                JobKind::Deprovision | JobKind::Change | JobKind::Retire,
                JobState::SettingUpIdentity,
            ) => None,
            (JobKind::Provision, JobState::SettingUpIdentity) => Some(Self::TenantIdentitySetup),
            (JobKind::Provision, JobState::Queued) => Some(Self::TenantProvisioning),
            (JobKind::Provision, JobState::Succeeded) => Some(Self::TenantProvisioningSuccess),
            (JobKind::Provision, JobState::Failed | JobState::TimedOut) => {
                Some(Self::TenantProvisioningFailure)
            }
            (JobKind::Deprovision, JobState::Queued) => Some(Self::TenantDeprovisioning),
            (JobKind::Deprovision, JobState::Succeeded) => Some(Self::TenantDeprovisioningSuccess),
            (JobKind::Deprovision, JobState::Failed | JobState::TimedOut) => {
                Some(Self::TenantDeprovisioningFailure)
            }
            (JobKind::Change, JobState::Queued) => Some(Self::TenantChanging),
            (JobKind::Change, JobState::Succeeded) => Some(Self::TenantChangingSuccess),
            (JobKind::Change, JobState::Failed | JobState::TimedOut) => {
                Some(Self::TenantChangingFailure)
            }
            (JobKind::Retire, JobState::Queued) => Some(Self::TenantRetiring),
            (JobKind::Retire, JobState::Succeeded) => Some(Self::TenantRetiringSuccess),
            (JobKind::Retire, JobState::Failed | JobState::TimedOut) => {
                Some(Self::TenantRetiringFailure)
            }
        }
    }
}
