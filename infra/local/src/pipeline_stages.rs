//! The stages of simulated executions: a source, and a build that reports a step. They take time,
//! so executions without a delay have none.

use serde_json::json;

use crate::{
    pipeline_runner::PipelineRunner,
    state::{Execution, NewEvent},
};

/// The stages, each with its action.
const SOURCE: (&str, &str) = ("Source", "Source");
const BUILD: (&str, &str) = ("Build", "Build");

impl PipelineRunner {
    /// Plays the time until the build reports its outcome.
    pub(crate) async fn play_stages(&self, execution: &Execution) {
        if self.delay.is_zero() {
            return;
        }
        let named = (execution.pipeline.as_str(), execution.id.as_str());
        let part = self.delay / 3;
        self.publish(&[
            self.buses.stage_changed(named, SOURCE.0, "STARTED"),
            self.buses.action_changed(named, SOURCE, "STARTED", None),
        ]);
        tokio::time::sleep(part).await;
        self.publish(&[
            self.buses.action_changed(named, SOURCE, "SUCCEEDED", None),
            self.buses.stage_changed(named, SOURCE.0, "SUCCEEDED"),
            self.buses.stage_changed(named, BUILD.0, "STARTED"),
            self.buses.action_changed(named, BUILD, "STARTED", None),
        ]);
        for step in ["Preparing the workspace", "Creating the resources"] {
            let arguments = ["progress", step].map(str::to_owned);
            if let Err(failed) = self.run_script(execution, &arguments).await {
                tracing::warn!(failed, "a build could not report progress");
            }
            tokio::time::sleep(part).await;
        }
    }

    /// Plays the end of the build.
    pub(crate) fn end_stages(&self, execution: &Execution, state: &str) {
        if self.delay.is_zero() {
            return;
        }
        let named = (execution.pipeline.as_str(), execution.id.as_str());
        let result = json!({
            "external-execution-id": format!("{}:{}", execution.pipeline, execution.id),
            "external-execution-summary": format!("Build terminated with state: {state}"),
            "external-execution-url": format!("{}/_local/pipelines", self.api_url),
        });
        self.publish(&[
            self.buses.action_changed(named, BUILD, state, Some(result)),
            self.buses.stage_changed(named, BUILD.0, state),
        ]);
    }

    fn publish(&self, events: &[NewEvent]) {
        if let Err(cause) = self.state.add_events(events) {
            tracing::error!(%cause, "the events of an execution cannot be stored");
        }
    }
}
