use serde::{Deserialize, Serialize};

use crate::{JobState, NewResource};

/// The outcome of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The build reported success.
    Succeeded,
    /// The build reported failure, or its pipeline failed.
    Failed,
    /// No report arrived before the deadline.
    TimedOut,
}

impl Outcome {
    /// Returns the state of a job with this outcome.
    #[must_use]
    pub fn state(self) -> JobState {
        match self {
            Self::Succeeded => JobState::Succeeded,
            Self::Failed => JobState::Failed,
            Self::TimedOut => JobState::TimedOut,
        }
    }
}

impl JobState {
    /// Returns the outcome of a job in this state, or `None` if the job is open.
    #[must_use]
    pub fn outcome(self) -> Option<Outcome> {
        match self {
            Self::Queued | Self::Running | Self::SettingUpIdentity => None,
            Self::Succeeded => Some(Outcome::Succeeded),
            Self::Failed => Some(Outcome::Failed),
            Self::TimedOut => Some(Outcome::TimedOut),
        }
    }
}

/// The result of a job, written when it closes.
#[derive(Clone, Debug, PartialEq)]
pub struct JobResult {
    /// Whether the job succeeded, failed or timed out.
    pub outcome: Outcome,
    /// Why the job failed.
    pub reason: Option<String>,
    /// The resources that the job created.
    pub resources: Vec<NewResource>,
    /// URL of the tenant's application.
    pub app_plane_url: Option<String>,
}

impl JobResult {
    /// Creates the result of a job that failed or timed out because of `reason`.
    #[must_use]
    pub fn unsuccessful(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self { outcome, reason: Some(reason.into()), resources: Vec::new(), app_plane_url: None }
    }
}
