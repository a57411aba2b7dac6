use serde::{Deserialize, Serialize};

use super::{JobState, NewResource};

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The build reported success.
    Succeeded,
    /// The build reported failure, or its pipeline failed.
    Failed,
    /// Nobody reported anything before the deadline.
    TimedOut,
}

impl Outcome {
    /// The state of a job that ended so.
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
    /// How a job in this state ended; `None` while it is open.
    #[must_use]
    pub fn outcome(self) -> Option<Outcome> {
        match self {
            Self::Queued | Self::Running => None,
            Self::Succeeded => Some(Outcome::Succeeded),
            Self::Failed => Some(Outcome::Failed),
            Self::TimedOut => Some(Outcome::TimedOut),
        }
    }
}

/// What is to be written when a job ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Closing {
    /// How it ended.
    pub outcome: Outcome,
    /// Why it failed.
    pub reason: Option<String>,
    /// What it built.
    pub resources: Vec<NewResource>,
    /// Where the tenant's application is.
    pub app_plane_url: Option<String>,
}

impl Closing {
    /// A job that ended badly, because of `reason`.
    #[must_use]
    pub fn badly(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self { outcome, reason: Some(reason.into()), resources: Vec::new(), app_plane_url: None }
    }
}
