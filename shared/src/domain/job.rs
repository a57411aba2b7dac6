use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    Audit, Closing, Contact, EventTenant, JobId, Outcome, Subscription, Tenant, TenantId,
    TenantStatus, Text, Timestamp, Transition, UserId,
};
use crate::{Error, Result};

/// How many builds of one tenant a lead may start within [`BUILD_WINDOW`].
pub const BUILDS: usize = 5;

/// The time in which [`BUILDS`] are counted.
pub const BUILD_WINDOW: Duration = Duration::from_secs(24 * 3600);

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobKind {
    /// Builds a tenant.
    Provision,
    /// Takes a tenant down.
    Deprovision,
}

/// Where a job is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Opened; no pipeline is started yet.
    Queued,
    /// Its pipeline runs.
    Running,
    /// Closed well.
    Succeeded,
    /// Closed badly.
    Failed,
    /// Closed since its deadline passed.
    TimedOut,
}

/// Whether a tenant gets resources of its own or a place in shared ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// Of its own.
    Silo,
    /// Shared.
    Pool,
}

/// Something that happened to a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What happened: the state that it brought.
    pub name: JobState,
    /// When.
    pub time: Timestamp,
}

/// A tenant's latest job, as its item names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRef {
    /// Its id.
    pub id: JobId,
    /// 1 for a tenant's first job.
    pub attempt: u32,
    /// What it does.
    pub kind: JobKind,
    /// The status of its tenant before it opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_from: Option<TenantStatus>,
    /// How it ended; absent while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// What the closing of a job says of what is built for its tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remains {
    /// The job left something built.
    Built,
    /// What earlier jobs built is gone.
    Removed,
    /// Nothing new.
    Same,
}

impl JobRef {
    /// Whether it was to take an active tenant down, and could not.
    #[must_use]
    pub fn left_standing(&self) -> bool {
        let failed = matches!(self.outcome, Some(Outcome::Failed | Outcome::TimedOut));
        let active = self.opened_from != Some(TenantStatus::ProvisionFailed);
        self.kind == JobKind::Deprovision && failed && active
    }

    /// Returns what closing it does to its tenant. A deprovisioning that fails puts the tenant back
    /// where it was.
    #[must_use]
    pub fn closing(&self, outcome: Outcome) -> Transition {
        match (self.kind, outcome, self.opened_from) {
            (JobKind::Provision, Outcome::Succeeded, _) => Transition::Activate,
            (JobKind::Provision, Outcome::Failed | Outcome::TimedOut, _) => Transition::Fail,
            (JobKind::Deprovision, Outcome::Succeeded, _) => Transition::Deactivate,
            (
                JobKind::Deprovision,
                Outcome::Failed | Outcome::TimedOut,
                Some(TenantStatus::ProvisionFailed),
            ) => Transition::RestoreFailed,
            (JobKind::Deprovision, Outcome::Failed | Outcome::TimedOut, _) => Transition::Restore,
        }
    }

    /// Returns what is built for its tenant once it is closed. A build that fails may report
    /// resources as well: those that it made until then.
    #[must_use]
    pub fn remains(&self, closing: &Closing) -> Remains {
        match (self.kind, closing.outcome) {
            (JobKind::Provision, Outcome::Succeeded) => Remains::Built,
            (JobKind::Provision, _) if !closing.resources.is_empty() => Remains::Built,
            (JobKind::Deprovision, Outcome::Succeeded) => Remains::Removed,
            _ => Remains::Same,
        }
    }
}

/// One attempt at provisioning or deprovisioning a tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Its id; the `context` of its webhook.
    pub id: JobId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// What it does.
    pub kind: JobKind,
    /// The status of its tenant before it opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_from: Option<TenantStatus>,
    /// 1 for a tenant's first job.
    pub attempt: u32,
    /// Where it is in its life.
    pub state: JobState,
    /// The tier of the plan.
    pub tier: Text<1, 100>,
    /// Which pipeline does it.
    pub isolation: Isolation,
    /// The subscription as it was.
    pub subscription: Subscription,
    /// The tenant as it was.
    pub tenant: EventTenant,
    /// What happened, in order.
    pub steps: Vec<Step>,
    /// When it is given up.
    pub deadline: Timestamp,
    /// The execution of the pipeline.
    pub execution_id: Option<String>,
    /// Where its log is.
    pub log_url: Option<String>,
    /// Where the tenant's application is.
    pub app_plane_url: Option<String>,
    /// Why it failed.
    pub reason: Option<String>,
    /// Who did what to it, and when.
    #[serde(flatten)]
    pub audit: Audit,
}

/// What a job is to do.
#[derive(Clone, Debug)]
pub struct Work {
    /// What it does.
    pub kind: JobKind,
    /// For which subscription.
    pub subscription: Subscription,
    /// Which pipeline does it.
    pub isolation: Isolation,
}

impl JobKind {
    /// What opening such a job does to its tenant.
    #[must_use]
    pub fn opening(self) -> Transition {
        match self {
            Self::Provision => Transition::Provision,
            Self::Deprovision => Transition::Deprovision,
        }
    }

    /// The status of a tenant while such a job is open.
    #[must_use]
    pub fn status_while_open(self) -> TenantStatus {
        match self {
            Self::Provision => TenantStatus::Provisioning,
            Self::Deprovision => TenantStatus::Deprovisioning,
        }
    }
}

impl fmt::Display for JobKind {
    /// As on the wire.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl Job {
    /// Opens the next job of `tenant`.
    ///
    /// # Errors
    ///
    /// [`Error::IllegalTransition`](crate::Error::IllegalTransition) where the tenant's status does
    /// not allow it.
    pub fn open(
        tenant: &Tenant,
        contacts: Vec<Contact>,
        work: Work,
        expiry: Duration,
        now: Timestamp,
        by: &UserId,
    ) -> Result<Self> {
        let Work { kind, subscription, isolation } = work;
        let status = tenant.status_after_opening(kind)?;
        Ok(Self {
            id: JobId::mint(),
            tenant_id: tenant.id,
            kind,
            opened_from: Some(tenant.status),
            attempt: tenant.latest_job.as_ref().map_or(0, |job| job.attempt) + 1,
            state: JobState::Queued,
            tier: subscription.tier()?,
            isolation,
            subscription,
            tenant: EventTenant::of(tenant, status, contacts),
            steps: vec![Step { name: JobState::Queued, time: now }],
            deadline: now + expiry,
            execution_id: None,
            log_url: None,
            app_plane_url: None,
            reason: None,
            audit: Audit::created(now, by),
        })
    }

    /// Checks that a lead may start another build of a tenant with these `jobs`, newest first.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyBuilds`] with the moment from which on it may.
    pub fn may_build_again(jobs: &[Self], now: Timestamp) -> Result<()> {
        let opened = jobs.iter().filter(|job| job.kind == JobKind::Provision);
        let oldest = opened.map(|job| job.audit.created_on).nth(BUILDS - 1);
        match oldest.map(|opened| opened + BUILD_WINDOW) {
            Some(next) if next > now => Err(Error::TooManyBuilds { next, wait: next.since(now) }),
            _ => Ok(()),
        }
    }

    /// What takes down what this job built: for the same subscription, where it was built.
    #[must_use]
    pub fn undone(&self) -> Work {
        let (subscription, isolation) = (self.subscription.clone(), self.isolation);
        Work { kind: JobKind::Deprovision, subscription, isolation }
    }

    /// How its tenant's item names it while it is open.
    #[must_use]
    pub fn reference(&self) -> JobRef {
        let Self { id, attempt, kind, opened_from, .. } = *self;
        JobRef { id, attempt, kind, opened_from, outcome: None }
    }

    /// Whether it is neither closed nor given up.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, JobState::Queued | JobState::Running)
    }
}

#[cfg(test)]
mod tests;
