//! Simulates pipelines: an execution plays its stages, and then reports with the script that real
//! builds use.

use std::{
    collections::{BTreeMap, HashSet},
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use lambda::Env;
use serde_json::json;
use tokio::{process::Command, sync::Semaphore, task::JoinSet};

use crate::{
    bus::Buses,
    options::Outcome,
    state::{Execution, State, Status},
    stop::Stop,
};

/// Maximum number of concurrent scripts, because each starts several processes.
pub(crate) const MAX_SCRIPTS: usize = 8;

/// The waits before retries of a failed script.
const RETRY_DELAYS: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];

/// Simulates executions.
#[derive(Debug)]
pub(crate) struct PipelineRunner {
    pub(crate) state: Arc<State>,
    pub(crate) buses: Arc<Buses>,
    /// The script that reports the outcome.
    pub(crate) script: PathBuf,
    /// Duration of an execution.
    pub(crate) delay: Duration,
    /// Outcome of executions. Tests can change it.
    pub(crate) outcome: Arc<Mutex<Outcome>>,
    /// The pipeline of siloed tenants.
    pub(crate) siloed: String,
    /// Permits to run the script.
    pub(crate) turns: Semaphore,
    /// The current URL of the API.
    pub(crate) api_url: String,
}

impl PipelineRunner {
    /// Simulates executions until the stop. An execution that has not ended runs again after the
    /// next start.
    pub(crate) async fn run(self, stop: Stop) {
        let runner = Arc::new(self);
        let stopped = stop.wait();
        tokio::pin!(stopped);
        let mut simulations = JoinSet::new();
        let mut known = HashSet::new();
        loop {
            let notified = runner.state.execution.notified();
            let running = runner.state.running_executions().unwrap_or_else(|cause| {
                tracing::error!(%cause, "executions cannot be read");
                Vec::new()
            });
            for execution in running {
                if runner.outcome() != Outcome::Silent && known.insert(execution.id.clone()) {
                    let runner = Arc::clone(&runner);
                    simulations.spawn(async move { runner.execute(&execution).await });
                }
            }
            tokio::select! {
                () = &mut stopped => return,
                () = notified => {}
                Some(_) = simulations.join_next() => {}
            }
        }
    }

    fn outcome(&self) -> Outcome {
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn execute(&self, execution: &Execution) {
        self.play_stages(execution).await;
        let (status, state, log) = match self.build(execution).await {
            // The failed build has reported its failure. Its pipeline fails as well.
            Ok(log) if self.outcome() == Outcome::Failure => (Status::Failed, "FAILED", log),
            Ok(log) => (Status::Succeeded, "SUCCEEDED", log),
            Err(log) => (Status::Failed, "FAILED", log),
        };
        tracing::info!(pipeline = execution.pipeline, state, "a pipeline execution ended");
        self.end_stages(execution, state);
        let event = self.buses.execution_changed(&execution.pipeline, &execution.id, state);
        if let Err(cause) = self.state.end_execution(&execution.id, status, &log, &event) {
            tracing::error!(%cause, "the end of an execution cannot be stored");
        }
    }

    /// Runs the script until it succeeds or all attempts have failed. Returns its output.
    async fn build(&self, execution: &Execution) -> Result<String, String> {
        let mut waits = RETRY_DELAYS.into_iter();
        loop {
            let failed = match self.report(execution).await {
                Ok(log) => return Ok(log),
                Err(failed) => failed,
            };
            let Some(wait) = waits.next() else { return Err(failed) };
            tracing::warn!(pipeline = execution.pipeline, failed, "a build could not report");
            tokio::time::sleep(wait).await;
        }
    }

    async fn report(&self, execution: &Execution) -> Result<String, String> {
        self.run_script(execution, &self.arguments(execution)).await
    }

    /// Runs the script once, and returns its output.
    pub(crate) async fn run_script(
        &self,
        execution: &Execution,
        arguments: &[String],
    ) -> Result<String, String> {
        let _turn = self.turns.acquire().await.map_err(|cause| cause.to_string())?;
        let environment = self.environment(execution)?;
        let mut command = Command::new("bash");
        command.arg(&self.script).args(arguments);
        command.env_clear().envs(environment).stdin(Stdio::null()).kill_on_drop(true);
        let output = command.output().await.map_err(|cause| format!("bash: {cause}"))?;
        let log = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        output.status.success().then_some(log.clone()).ok_or(log)
    }

    /// Returns the environment of a build step: the pipeline's variables, and the secret that the
    /// buildspec would read.
    fn environment(&self, execution: &Execution) -> Result<BTreeMap<String, String>, String> {
        let mut environment = execution.variables.clone();
        if let Some(url) = environment.get_mut("CALLBACK_URL")
            && let Some(path) = url.strip_prefix(&execution.api_url)
        {
            // The port of the API may have changed since the execution was started.
            *url = format!("{}{path}", self.api_url);
        }
        if let Some(arn) = execution.variables.get("SECRET_ARN") {
            let secret = self.state.secret(arn).map_err(|cause| cause.to_string())?;
            let secret = secret.ok_or_else(|| format!("the secret {arn} does not exist"))?;
            environment.insert("CALLBACK_SECRET".into(), secret.value);
        }
        let ahead = schema::clock::ahead().as_millis();
        environment.insert("CLOCK_AHEAD_MS".into(), ahead.to_string());
        let path = Env::process().get("PATH").unwrap_or("/usr/local/bin:/usr/bin:/bin").to_owned();
        environment.insert("PATH".into(), path);
        Ok(environment)
    }

    /// Returns the arguments of the script: the outcome and the resources.
    fn arguments(&self, execution: &Execution) -> Vec<String> {
        let of = |name: &str| execution.variables.get(name).map_or("", String::as_str);
        let key = of("TENANT_KEY");
        if self.outcome() == Outcome::Failure {
            let reason = "The simulated pipeline is set to fail (--pipeline-outcome failure).";
            return vec!["failure".into(), "--reason".into(), reason.into()];
        }
        let mut arguments = vec!["success".to_owned()];
        if !["deprovision", "retire"].contains(&of("JOB_KIND")) {
            let resources = if execution.pipeline == self.siloed {
                json!([
                    { "type": "bucket", "externalIdentifier": format!("{key}-assets"),
                      "metadata": { "bucket": format!("{key}-assets"), "region": "local" } },
                    { "type": "database", "externalIdentifier": format!("{key}-db"),
                      "metadata": { "engine": "postgres", "host": format!("{key}.db.test") } },
                    { "type": "cluster", "externalIdentifier": format!("{key}-cluster"),
                      "metadata": { "namespace": key } },
                ])
            } else {
                json!([
                    { "type": "bucket-prefix", "externalIdentifier": format!("pool/{key}/"),
                      "metadata": { "bucket": "pool", "prefix": format!("{key}/") } },
                    { "type": "schema", "externalIdentifier": format!("pool_{key}"),
                      "metadata": { "database": "pool" } },
                ])
            };
            let url = format!("https://{key}.app.test");
            arguments.extend([
                "--resources".into(),
                resources.to_string(),
                "--app-url".into(),
                url,
            ]);
        }
        arguments
    }
}

/// Returns the path of the script, relative to the template as in the buildspecs.
pub(crate) fn script(template: &Path) -> PathBuf {
    template.parent().unwrap_or(Path::new("")).join("infra/callback.sh")
}
