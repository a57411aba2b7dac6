//! The steps of a job's work, as its pipeline and its build report them.
//!
//! Reports may arrive twice and in any order; only their times decide. A step never changes the
//! state of its job.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::{Job, Word, values::web_url};
use schema::Timestamp;
use strum::{Display, VariantArray};

/// The maximum number of steps that are kept of each source. Of more steps, the latest are kept.
pub const MAX_STEPS: usize = 30;

/// The maximum length of a step's name in characters.
pub const MAX_STEP_NAME: usize = 100;

/// The maximum length of a step's summary in characters.
pub const MAX_STEP_SUMMARY: usize = 300;

/// The maximum length of a step's link in bytes.
pub const MAX_STEP_LINK: usize = 1000;

/// The source of the reports about a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Display, VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum StepSource {
    /// The job itself, whose state has changed.
    Job,
    /// The pipeline, for its stages and actions.
    Pipeline,
    /// The build.
    Build,
}

/// The state of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Display, VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum StepState {
    /// The step is running.
    Running,
    /// The step succeeded.
    Succeeded,
    /// The step failed.
    Failed,
    /// The step was cancelled, or did not end before its job.
    Stopped,
}

impl Word for StepSource {}
impl Word for StepState {}

/// A step of a job's work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkStep {
    /// The source of the reports.
    pub source: StepSource,
    /// The name, unique among the steps of its source.
    pub name: String,
    /// The state.
    pub state: StepState,
    /// When the step started. The same as the end if the start was not reported.
    pub started_on: Timestamp,
    /// When the step ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_on: Option<Timestamp>,
    /// A description of the result, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The URL of details.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// The report that a step started or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepReport {
    source: StepSource,
    name: String,
    state: StepState,
    time: Timestamp,
    summary: Option<String>,
    link: Option<String>,
}

impl StepReport {
    /// Creates a report. A name that is too long is shortened.
    #[must_use]
    pub fn new(source: StepSource, name: &str, state: StepState, time: Timestamp) -> Self {
        let name = plain(name, MAX_STEP_NAME);
        Self { source, name, state, time, summary: None, link: None }
    }

    /// Adds a summary, shortened if it is too long, and a link. A link that is too long or not an
    /// HTTP URL is left out.
    #[must_use]
    pub fn with_details(self, summary: Option<&str>, link: Option<&str>) -> Self {
        let summary = summary.map(|text| plain(text, MAX_STEP_SUMMARY));
        let summary = summary.filter(|text| !text.trim().is_empty());
        let link = link.and_then(web_url).filter(|url| url.len() <= MAX_STEP_LINK);
        Self { summary, link, ..self }
    }
}

/// Returns up to `most` characters of `text`, with spaces in place of control characters.
fn plain(text: &str, most: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(most).collect()
}

impl WorkStep {
    fn new(report: StepReport) -> Self {
        let StepReport { source, name, state, time, summary, link } = report;
        let ended_on = (state != StepState::Running).then_some(time);
        Self { source, name, state, started_on: time, ended_on, summary, link }
    }

    /// Returns this step after `report`, which may be older than what is known.
    fn after(self, report: StepReport) -> Self {
        let time = report.time;
        match (report.state, self.ended_on) {
            (StepState::Running, None) if time <= self.started_on => self,
            // The step has started again.
            (StepState::Running, None) => Self::new(report),
            (StepState::Running, Some(ended)) if time > ended => Self::new(report),
            (StepState::Running, Some(ended)) => {
                let is_unknown = self.started_on == ended;
                let started_on = if is_unknown { time } else { time.max(self.started_on) };
                Self { started_on, ..self.explained_by(report) }
            }
            // A stage and its action of one name are one step, whose details only the action reports.
            (state, ended) if time < ended.unwrap_or(self.started_on) || ended == Some(time) => {
                let is_same_end = state == self.state && time >= self.started_on;
                if is_same_end { self.explained_by(report) } else { self }
            }
            (state, _) => Self {
                state,
                ended_on: Some(time),
                summary: report.summary.or(self.summary),
                link: report.link.or(self.link),
                ..self
            },
        }
    }

    /// Returns this step with the details of `report` that it lacks.
    fn explained_by(self, report: StepReport) -> Self {
        let (summary, link) = (self.summary.or(report.summary), self.link.or(report.link));
        Self { summary, link, ..self }
    }
}

impl Job {
    /// Returns the steps of this job's work after `report`, or `None` if they stay as they are.
    ///
    /// A time before the job counts as the start of the job.
    #[must_use]
    pub fn progress_after(&self, mut report: StepReport) -> Option<Vec<WorkStep>> {
        report.time = report.time.max(self.audit.created_on);
        let mut steps = self.progress.clone();
        let is_same =
            |step: &WorkStep| (step.source, &*step.name) == (report.source, &*report.name);
        let source = report.source;
        match steps.iter().position(is_same) {
            Some(position) => steps[position] = steps[position].clone().after(report),
            None => steps.push(WorkStep::new(report)),
        }
        steps.sort_by_key(|step| step.started_on);
        let of_source = |step: &WorkStep| step.source == source;
        if steps.iter().filter(|step| of_source(step)).count() > MAX_STEPS
            && let Some(oldest) = steps.iter().position(of_source)
        {
            steps.remove(oldest);
        }
        (steps != self.progress).then_some(steps)
    }
}
