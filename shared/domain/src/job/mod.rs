mod identity;
mod message;
mod moves;
mod new;
mod outcome;
mod progress;
mod reference;
mod removal;
mod report;
mod subscription;
mod tiers;
mod timeline;
mod view;

pub use identity::{IDENTITY_TIME_LIMIT, IdentityProvider, JobPhase};
pub use message::{BuildMessage, BuildProgress};
pub use moves::{MoveEnds, MoveRules, Placement, Previous};
pub use new::NewProvisioning;
pub use outcome::{JobResult, Outcome};
pub use progress::{
    MAX_STEP_LINK, MAX_STEP_NAME, MAX_STEP_SUMMARY, MAX_STEPS, StepReport, StepSource, StepState,
    WorkStep,
};
pub use reference::{JobRef, ResourceChange};
pub use report::{BuildReport, ClaimedTenant};
pub(crate) use subscription::SafeText;
pub use subscription::SubscriptionText;
pub use tiers::Tiers;
pub use timeline::Viewer;
pub use view::JobView;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use strum::{Display, VariantArray};

use crate::{
    Audit, Contact, EventTenant, JobId, SubscriptionId, Tenant, TenantId, TenantStatus, Text,
    Transition, UserId, Word, values::words_from_json,
};
use crate::{Error, Result};
use schema::Timestamp;

/// The number of builds of a tenant within [`BUILD_WINDOW`], by its lead and by operators, after which
/// the lead may not start another.
pub const MAX_BUILDS: usize = 5;

/// The period in which [`MAX_BUILDS`] are counted.
pub const BUILD_WINDOW: Duration = Duration::from_secs(24 * 3600);

/// The kind of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Display, VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum JobKind {
    /// Creates the tenant's resources.
    Provision,
    /// Removes the tenant's resources.
    Deprovision,
    /// Moves the tenant to another tier or isolation.
    Change,
    /// Removes the resources that the tenant had before a move.
    Retire,
}

/// The state of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Display, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum JobState {
    /// The job is open but its pipeline has not been started.
    Queued,
    /// The pipeline is running.
    Running,
    /// The build succeeded, and the tenant is being set up at its identity provider.
    SettingUpIdentity,
    /// The job is closed: the build succeeded.
    Succeeded,
    /// The job is closed: the build failed.
    Failed,
    /// The job is closed: its deadline passed.
    TimedOut,
}

/// Whether a tenant has dedicated or shared resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Display, VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Isolation {
    /// Dedicated resources.
    Silo,
    /// Shared resources.
    Pool,
}

/// A state change of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The new state.
    pub name: JobState,
    /// When the state changed.
    pub time: Timestamp,
}

/// One attempt at building, moving or removing a tenant's resources.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// The job's ID, which is also the `context` of its webhook.
    pub id: JobId,
    /// The tenant of the job.
    pub tenant_id: TenantId,
    /// The kind of the job.
    pub kind: JobKind,
    /// The tenant's status before the job was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_from: Option<TenantStatus>,
    /// The number of the attempt, starting at 1 for the tenant's first job.
    pub attempt: u32,
    /// The job's state.
    pub state: JobState,
    /// The tier of the tenant's plan.
    pub tier: Text<1, 100>,
    /// Whether the tenant is siloed or pooled, which selects the pipeline.
    pub isolation: Isolation,
    /// The identity provider at which the tenant is set up after the build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_provider: Option<IdentityProvider>,
    /// The subscription when the job was opened.
    pub subscription: SubscriptionText,
    /// The tenant's current subscription to a plan, which changes when the job succeeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription_id: Option<SubscriptionId>,
    /// The ends of the move, of a job that moves the tenant or retires its old resources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moves: Option<MoveEnds>,
    /// The tenant when the job was opened.
    pub tenant: EventTenant,
    /// State changes, oldest first.
    pub steps: Vec<Step>,
    /// The steps of the job's work, by start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub progress: Vec<WorkStep>,
    /// When the job times out.
    pub deadline: Timestamp,
    /// The ID of the pipeline execution.
    pub execution_id: Option<String>,
    /// URL of the build log.
    pub log_url: Option<String>,
    /// URL of the tenant's application.
    pub app_plane_url: Option<String>,
    /// Why the job failed.
    pub reason: Option<String>,
    /// The audit fields of the job.
    #[serde(flatten)]
    pub audit: Audit,
}

/// The work that a job performs.
#[derive(Clone, Debug)]
pub struct Work {
    /// The kind of the job.
    pub kind: JobKind,
    /// The subscription of the tenant.
    pub subscription: SubscriptionText,
    /// Whether the tenant is siloed or pooled, which selects the pipeline.
    pub isolation: Isolation,
    /// The identity provider at which the tenant is set up after the build.
    pub identity_provider: Option<IdentityProvider>,
}

impl JobKind {
    /// Returns the tenant's transition when a job of this kind opens. Returns `None` if the tenant stays
    /// in use as it is.
    #[must_use]
    pub fn opening(self) -> Option<Transition> {
        match self {
            Self::Provision => Some(Transition::Provision),
            Self::Deprovision => Some(Transition::Deprovision),
            Self::Change | Self::Retire => None,
        }
    }

    /// Returns the tenant's status while a job of this kind is open, which was opened `from` a status.
    #[must_use]
    pub fn status_while_open(self, from: TenantStatus) -> TenantStatus {
        match self {
            Self::Provision => TenantStatus::Provisioning,
            Self::Deprovision => TenantStatus::Deprovisioning,
            Self::Change | Self::Retire => from,
        }
    }
}

impl Word for JobKind {}
impl Word for JobState {}
words_from_json!(Isolation);

impl Job {
    /// Opens the next job of `tenant`.
    ///
    /// # Errors
    ///
    /// [`Error::IllegalTransition`](crate::Error::IllegalTransition) if the tenant's status does
    /// not allow such a job.
    pub fn open(
        tenant: &Tenant,
        contacts: Vec<Contact>,
        work: Work,
        expiry: Duration,
        now: Timestamp,
        by: &UserId,
    ) -> Result<Self> {
        let Work { kind, subscription, isolation, identity_provider } = work;
        let status = tenant.status_after_opening(kind)?;
        Ok(Self {
            id: JobId::generate(),
            tenant_id: tenant.id,
            kind,
            opened_from: Some(tenant.status),
            attempt: tenant.latest_job.as_ref().map_or(0, |job| job.attempt) + 1,
            state: JobState::Queued,
            tier: subscription.tier().clone(),
            isolation,
            identity_provider,
            subscription,
            subscription_id: None,
            moves: None,
            tenant: EventTenant::new(tenant, status, contacts),
            steps: vec![Step { name: JobState::Queued, time: now }],
            progress: Vec::new(),
            deadline: now + expiry,
            execution_id: None,
            log_url: None,
            app_plane_url: None,
            reason: None,
            audit: Audit::created(now, by),
        })
    }

    /// Checks that a lead may start another build of a tenant. `jobs` are the tenant's jobs, newest
    /// first. All provisioning jobs count, those of operators too.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyBuilds`] with the time of the next possible build.
    pub fn check_build_limit(jobs: &[Self], now: Timestamp) -> Result<()> {
        let opened = jobs.iter().filter(|job| job.kind == JobKind::Provision);
        let oldest = opened.map(|job| job.audit.created_on).nth(MAX_BUILDS - 1);
        match oldest.map(|opened| opened + BUILD_WINDOW) {
            Some(next) if next > now => Err(Error::TooManyBuilds { next, wait: next.since(now) }),
            _ => Ok(()),
        }
    }

    /// Returns the work that removes the resources of this job, with the same subscription and
    /// isolation.
    #[must_use]
    pub fn to_deprovisioning(&self) -> Work {
        let (subscription, isolation) = (self.subscription.clone(), self.isolation);
        Work { kind: JobKind::Deprovision, subscription, isolation, identity_provider: None }
    }

    /// Returns the reference to this open job for the tenant's item.
    #[must_use]
    pub fn reference(&self) -> JobRef {
        let Self {
            id, attempt, kind, opened_from, identity_provider, subscription_id, state, ..
        } = *self;
        JobRef {
            id,
            attempt,
            kind,
            opened_from,
            identity_provider,
            phase: state.phase(),
            subscription_id,
            outcome: None,
        }
    }

    /// Returns the job for a tenant with this current subscription.
    #[must_use]
    pub fn with_subscription(self, subscription_id: Option<SubscriptionId>) -> Self {
        Self { subscription_id, ..self }
    }

    /// Returns whether the job is not closed.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state.outcome().is_none()
    }

    /// Returns whether the job is queued or running, so that its build may still report.
    #[must_use]
    pub fn is_building(&self) -> bool {
        self.is_open() && self.state.phase() == JobPhase::Build
    }
}

#[cfg(test)]
mod tests;
