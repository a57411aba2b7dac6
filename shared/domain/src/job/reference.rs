use serde::{Deserialize, Serialize};

use crate::{
    IdentityProvider, JobId, JobKind, JobPhase, JobResult, NewResource, Outcome, Result,
    SubscriptionId, TenantStatus, Transition,
};

/// A reference to a tenant's latest job, stored in the tenant's item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRef {
    /// The job's ID.
    pub id: JobId,
    /// The number of the attempt, starting at 1 for the tenant's first job.
    pub attempt: u32,
    /// The kind of the job.
    pub kind: JobKind,
    /// The tenant's status before the job was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_from: Option<TenantStatus>,
    /// The identity provider at which the tenant is set up after the build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_provider: Option<IdentityProvider>,
    /// The last phase that the job has reached.
    #[serde(default, skip_serializing_if = "JobPhase::is_build")]
    pub phase: JobPhase,
    /// The subscription that changes when the job succeeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription_id: Option<SubscriptionId>,
    /// The outcome, or `None` while the job is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// The effect of closing a job on the resources that exist for the tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceChange {
    /// The job created resources.
    Created,
    /// The resources of all earlier jobs are removed.
    Removed,
    /// The job created resources in place of those of all earlier jobs.
    Replaced,
    /// The resources are unchanged.
    Unchanged,
}

impl JobRef {
    /// Returns whether the job failed to deprovision an active tenant.
    #[must_use]
    pub fn failed_to_deprovision(&self) -> bool {
        let failed = matches!(self.outcome, Some(Outcome::Failed | Outcome::TimedOut));
        let active = self.opened_from != Some(TenantStatus::ProvisionFailed);
        self.kind == JobKind::Deprovision && failed && active
    }

    /// Returns the tenant's status when the job closes. A failed deprovisioning restores the tenant's
    /// previous status.
    ///
    /// # Errors
    ///
    /// [`Error::IllegalTransition`](crate::Error::IllegalTransition) if the job's status before it was
    /// opened does not allow its kind.
    pub fn status_after_closing(&self, outcome: Outcome) -> Result<TenantStatus> {
        let before = self.opened_from.unwrap_or(TenantStatus::Active);
        match self.closing(outcome) {
            Some(transition) => self.kind.status_while_open(before).after(transition),
            None => Ok(before),
        }
    }

    /// Returns the tenant's transition when the job closes, or `None` if its status stays as it is.
    fn closing(&self, outcome: Outcome) -> Option<Transition> {
        Some(match (self.kind, outcome, self.opened_from) {
            (JobKind::Change | JobKind::Retire, ..) => return None,
            (JobKind::Provision, Outcome::Succeeded, _) => Transition::Activate,
            (JobKind::Provision, Outcome::Failed | Outcome::TimedOut, _) => Transition::Fail,
            (JobKind::Deprovision, Outcome::Succeeded, _) => Transition::Deactivate,
            (
                JobKind::Deprovision,
                Outcome::Failed | Outcome::TimedOut,
                Some(TenantStatus::ProvisionFailed),
            ) => Transition::RestoreFailed,
            (
                JobKind::Deprovision,
                Outcome::Failed | Outcome::TimedOut,
                Some(TenantStatus::Suspended),
            ) => Transition::RestoreSuspended,
            (JobKind::Deprovision, Outcome::Failed | Outcome::TimedOut, _) => Transition::Restore,
        })
    }

    /// Returns the effect of closing the job on the tenant's resources. A failed build may also
    /// report the resources that it created before it failed.
    #[must_use]
    pub fn resource_change(&self, result: &JobResult) -> ResourceChange {
        match (self.kind, result.outcome) {
            _ if self.phase == JobPhase::Identity => ResourceChange::Unchanged,
            (JobKind::Provision, Outcome::Succeeded) => ResourceChange::Created,
            (JobKind::Provision, _) if !result.resources.is_empty() => ResourceChange::Created,
            (JobKind::Deprovision, Outcome::Succeeded) => ResourceChange::Removed,
            (JobKind::Change, Outcome::Succeeded) => ResourceChange::Replaced,
            _ => ResourceChange::Unchanged,
        }
    }

    /// Returns the reported resources that are kept. A failed move changes nothing, and a retirement
    /// creates nothing.
    #[must_use]
    pub fn kept<'r>(&self, result: &'r JobResult) -> &'r [NewResource] {
        match (self.kind, result.outcome) {
            (JobKind::Provision | JobKind::Deprovision, _)
            | (JobKind::Change, Outcome::Succeeded) => &result.resources,
            (JobKind::Change, Outcome::Failed | Outcome::TimedOut) | (JobKind::Retire, _) => &[],
        }
    }
}
