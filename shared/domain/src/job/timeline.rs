use serde::Serialize;

use crate::{Job, JobState, Outcome, Step, StepSource, StepState, WorkStep};
use schema::Timestamp;

/// The audience of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// An operator, who sees everything.
    Operator,
    /// A lead, who sees no summaries and links: they may name accounts and internal systems.
    Lead,
}

/// A step of a job on the wire: a change of the job's state, or a part of its work.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StepView<'a> {
    name: StepName<'a>,
    source: StepSource,
    state: StepState,
    /// The same as `started_on`.
    time: Timestamp,
    started_on: Timestamp,
    ended_on: Option<Timestamp>,
    summary: Option<&'a str>,
    link: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum StepName<'a> {
    State(JobState),
    Work(&'a str),
}

/// Returns the steps of `job`: its opening, its work by start, its identity set-up, and its closing.
pub(super) fn timeline(job: &Job, viewer: Viewer) -> Vec<StepView<'_>> {
    let (closing, opening): (Vec<_>, Vec<_>) =
        job.steps.iter().partition(|step| step.name.outcome().is_some());
    let closing = closing.first().copied();
    let (identity, opening): (Vec<_>, Vec<_>) =
        opening.into_iter().partition(|step| step.name == JobState::SettingUpIdentity);
    let identity = identity.first().copied();
    // The identity set-up begins when the build has succeeded.
    let end = match (identity, closing) {
        (Some(identity), _) => Some((StepState::Succeeded, identity.time)),
        (None, closing) => closing.and_then(Step::end),
    };
    let work = job.progress.iter().enumerate().map(|(position, step)| {
        let mut later = job.progress[position + 1..].iter();
        let next = later.find(|next| next.source == step.source).map(|next| next.started_on);
        StepView::of_work(step, next, end, viewer)
    });
    let opening = opening.into_iter().map(StepView::of_state);
    let identity = identity.map(|step| StepView::of_identity(step, job, closing, viewer));
    opening.chain(work).chain(identity).chain(closing.map(StepView::of_state)).collect()
}

impl<'a> StepView<'a> {
    /// Returns the view of a change of the job's state, which takes no time.
    fn of_state(Step { name, time }: &'a Step) -> Self {
        let state = match name.outcome() {
            Some(outcome) => outcome.step_state(),
            None => StepState::Succeeded,
        };
        Self {
            name: StepName::State(*name),
            source: StepSource::Job,
            state,
            time: *time,
            started_on: *time,
            ended_on: Some(*time),
            summary: None,
            link: None,
        }
    }

    /// Returns the view of the identity set-up, which ends with the job and fails for its reason.
    fn of_identity(step: &'a Step, job: &'a Job, closing: Option<&Step>, viewer: Viewer) -> Self {
        let (state, ended_on) = match closing.and_then(Step::end) {
            Some((state, time)) => (state, Some(time)),
            None => (StepState::Running, None),
        };
        let summary = viewer.detail(job.reason.as_ref());
        Self { state, ended_on, summary, ..Self::of_state(step) }
    }

    /// Returns the view of a part of the work. Builds only report that a step starts: the previous
    /// one then succeeded. Nothing runs on after the job has closed.
    fn of_work(
        step: &'a WorkStep,
        next: Option<Timestamp>,
        end: Option<(StepState, Timestamp)>,
        viewer: Viewer,
    ) -> Self {
        let next = next.filter(|_| step.source == StepSource::Build);
        let (state, ended_on) = match (step.ended_on, next, end) {
            (Some(ended), _, _) => (step.state, Some(ended)),
            (None, Some(next), _) => (StepState::Succeeded, Some(next)),
            (None, None, Some((state, time))) => (state, Some(time.max(step.started_on))),
            (None, None, None) => (step.state, None),
        };
        Self {
            name: StepName::Work(&step.name),
            source: step.source,
            state,
            time: step.started_on,
            started_on: step.started_on,
            ended_on,
            summary: viewer.detail(step.summary.as_ref()),
            link: viewer.detail(step.link.as_ref()),
        }
    }
}

impl Viewer {
    /// Returns a detail if this viewer may see it.
    fn detail(self, text: Option<&String>) -> Option<&str> {
        match self {
            Self::Operator => text.map(String::as_str),
            Self::Lead => None,
        }
    }
}

impl Step {
    /// Returns how and when the job ended with this step. Returns `None` if it did not.
    fn end(&self) -> Option<(StepState, Timestamp)> {
        Some((self.name.outcome()?.step_state(), self.time))
    }
}

impl Outcome {
    fn step_state(self) -> StepState {
        match self {
            Self::Succeeded => StepState::Succeeded,
            Self::Failed => StepState::Failed,
            Self::TimedOut => StepState::Stopped,
        }
    }
}
