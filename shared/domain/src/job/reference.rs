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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::job::tests::job;

    fn reference(kind: JobKind) -> JobRef {
        job(kind, crate::now()).reference()
    }

    #[test]
    fn a_deprovisioning_failed_if_it_ended_without_success_for_an_active_tenant() {
        use JobKind::{Deprovision, Provision};
        use Outcome::{Failed, Succeeded, TimedOut};
        use TenantStatus::{Active, ProvisionFailed};
        for (kind, opened_from, outcome, failed) in [
            (Deprovision, Some(Active), Some(Failed), true),
            (Deprovision, Some(Active), Some(TimedOut), true),
            (Deprovision, None, Some(Failed), true),
            (Deprovision, Some(Active), Some(Succeeded), false),
            (Deprovision, Some(Active), None, false),
            (Deprovision, Some(ProvisionFailed), Some(Failed), false),
            (Provision, Some(Active), Some(Failed), false),
        ] {
            let job = JobRef { opened_from, outcome, ..reference(kind) };
            assert_eq!(job.failed_to_deprovision(), failed, "{job:?}");
        }
    }

    #[test]
    fn a_job_changes_resources_if_its_build_succeeded_or_reported_some() {
        use JobKind::{Deprovision, Provision, Retire};
        use JobPhase::{Build, Identity};
        use Outcome::{Failed, Succeeded, TimedOut};
        use ResourceChange::{Created, Removed, Unchanged};
        let bucket = json!({ "type": "bucket", "externalIdentifier": "b" });
        let bucket: NewResource = schema::read(&bucket).unwrap();
        for (kind, phase, outcome, reported, change) in [
            (Provision, Build, Succeeded, 0, Created),
            (Provision, Build, Succeeded, 1, Created),
            (Provision, Build, Failed, 0, Unchanged),
            (Provision, Build, TimedOut, 1, Created),
            (Provision, Identity, Succeeded, 1, Unchanged),
            (Deprovision, Build, Succeeded, 0, Removed),
            (Deprovision, Build, Failed, 1, Unchanged),
            (Retire, Build, Succeeded, 0, Unchanged),
        ] {
            let resources = vec![bucket.clone(); reported];
            let result = JobResult { resources, ..JobResult::unsuccessful(outcome, "") };
            let job = JobRef { phase, ..reference(kind) };
            assert_eq!(job.resource_change(&result), change, "{job:?} {outcome:?} {reported}");
        }
    }
}
