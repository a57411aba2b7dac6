use domain::{Result, StepReport, StepSource, StepState};
use lambda::Envelope;
use serde::Deserialize;
use store::{StepScope, retry_if_stale};

use crate::Pipelines;

/// The `detail` of a state change of a stage or an action.
///
/// Source: <https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct StepChange {
    pipeline: String,
    execution_id: String,
    stage: String,
    #[serde(default)]
    action: Option<String>,
    state: String,
    #[serde(default)]
    execution_result: Option<ExecutionResult>,
}

/// The result of an action, according to its provider.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ExecutionResult {
    #[serde(default)]
    external_execution_summary: Option<String>,
    #[serde(default)]
    external_execution_url: Option<String>,
    #[serde(default)]
    error_code: Option<String>,
}

/// Whether an event is a state change of a stage or an action.
pub(crate) fn is_step(event: &Envelope) -> bool {
    let types =
        ["CodePipeline Stage Execution State Change", "CodePipeline Action Execution State Change"];
    types.contains(&event.detail_type.as_str())
}

impl Pipelines {
    /// Handles a state change of a stage or an action: records it in its job, also after the job
    /// has closed. The state of the job does not change.
    pub(crate) async fn step_changed(&self, event: &Envelope) -> Result<()> {
        let change: StepChange = event.read()?;
        let Some(state) = change.step_state() else { return Ok(()) };
        let Some((tenant, job)) = self.latest_job(&change.pipeline, &change.execution_id).await?
        else {
            return Ok(());
        };
        let time = event.time.unwrap_or_else(lambda::now);
        let report = StepReport::new(StepSource::Pipeline, &change.name(), state, time);
        let result = change.execution_result.as_ref();
        let report = report.with_details(
            result.and_then(ExecutionResult::summary),
            result.and_then(|result| result.external_execution_url.as_deref()),
        );
        retry_if_stale(|| self.store.record_step(tenant, &job, StepScope::All, report.clone()))
            .await
    }
}

impl StepChange {
    /// Returns the name of the step. A stage and its action of the same name are one step.
    fn name(&self) -> String {
        match &self.action {
            Some(action) if *action != self.stage => format!("{}: {action}", self.stage),
            _ => self.stage.clone(),
        }
    }

    /// Returns `None` for a state that neither starts nor ends a step.
    fn step_state(&self) -> Option<StepState> {
        match self.state.as_str() {
            "STARTED" | "RESUMED" => Some(StepState::Running),
            "SUCCEEDED" => Some(StepState::Succeeded),
            "FAILED" => Some(StepState::Failed),
            "CANCELED" | "STOPPED" | "ABANDONED" => Some(StepState::Stopped),
            _ => None,
        }
    }
}

impl ExecutionResult {
    fn summary(&self) -> Option<&str> {
        self.external_execution_summary.as_deref().or(self.error_code.as_deref())
    }
}
