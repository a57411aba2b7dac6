//! Starts pipeline executions for events, records their steps, and closes the jobs of failed
//! executions.
//!
//! Every step is idempotent. An existing secret is reused, an execution has its job's ID as the
//! token, and a job is only changed if it is in the expected state.

mod execution;
mod progress;
mod secret;

use aws_sdk_codepipeline::Client;
use domain::{
    Error, Event, EventJob, EventTenant, EventType, Isolation, Job, JobPhase, JobRef, JobResult,
    JobState, MoveEnds, Outcome, Result, TenantId, UserId,
};
use lambda::{Env, Envelope, Payload, aws::Aws, config::ConfigError, dead_letter::EventFailures};
use serde::Deserialize;
use store::{JobCompletion, Store};

use crate::{
    execution::{Execution, Started},
    secret::JobSecrets,
};

/// Connects jobs with the two pipelines.
#[derive(Debug)]
pub struct Pipelines {
    client: Client,
    store: Store,
    secrets: JobSecrets,
    siloed: String,
    pooled: String,
    callback_url: String,
    /// A URL template with `{region}`, `{pipeline}` and `{execution}`.
    log_url: String,
    region: String,
    system: UserId,
    failures: EventFailures,
}

/// The `detail` of a `CodePipeline Pipeline Execution State Change`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct StateChange {
    pipeline: String,
    execution_id: String,
    state: String,
}

/// The URL template of an execution in the AWS console.
const CONSOLE: &str = "https://{region}.console.aws.amazon.com/codesuite/codepipeline/pipelines/\
                       {pipeline}/executions/{execution}/timeline?region={region}";

impl Pipelines {
    /// Reads `SILOED_PIPELINE`, `POOLED_PIPELINE`, `CALLBACK_URL`, `JOB_SECRET_PREFIX` and
    /// `PIPELINE_LOG_URL`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a variable is missing or malformed.
    pub async fn new(env: &Env) -> Result<Self, ConfigError> {
        let aws = Aws::from_env(env)?;
        Ok(Self {
            client: aws_sdk_codepipeline::Client::new(&aws.service("CODEPIPELINE")),
            store: Store::from_env(env, &aws)?,
            secrets: JobSecrets::from_env(env, &aws).await?,
            siloed: env.required("SILOED_PIPELINE")?.to_owned(),
            pooled: env.required("POOLED_PIPELINE")?.to_owned(),
            callback_url: env.url("CALLBACK_URL")?,
            log_url: env.get("PIPELINE_LOG_URL").unwrap_or(CONSOLE).to_owned(),
            region: aws.region().to_owned(),
            system: env.required("SYSTEM_USER_ID")?.into(),
            failures: EventFailures::from_env(env, &aws)?,
        })
    }

    /// Starts a pipeline, deletes a secret or closes a job, depending on the event. An event that
    /// cannot be read or fails permanently goes to the dead-letter queue.
    ///
    /// # Errors
    ///
    /// If a step failed and a retry may succeed.
    pub async fn handle(&self, event: Payload) -> Result<()> {
        self.failures.handle(&event, |event| self.dispatch(event)).await
    }

    async fn dispatch(&self, event: Envelope) -> Result<()> {
        match event.detail_type.parse() {
            Ok(
                EventType::TenantProvisioning
                | EventType::TenantDeprovisioning
                | EventType::TenantChanging
                | EventType::TenantRetiring,
            ) => self.start(event.read_and_trace()?).await,
            Ok(_) => self.job_closed(&event.read_and_trace()?).await,
            Err(_) if progress::is_step(&event) => self.step_changed(&event).await,
            // The only other rule is for state changes of CodePipeline's executions.
            Err(_) => self.execution_failed(&event.read()?).await,
        }
    }

    /// Handles an opened job: creates its secret, starts its pipeline and stores the execution in
    /// the job.
    ///
    /// A job that is already running is skipped, because AWS does not document how long
    /// CodePipeline remembers a token.
    async fn start(&self, event: Event) -> Result<()> {
        let (Some(tenant), Some(opened)) = (event.tenant, event.job) else { return Ok(()) };
        let Some(job) = self.queued_job(tenant.id, &opened).await? else { return Ok(()) };
        let secret = match self.secrets.create(tenant.id, job.id).await {
            Err(error) if error.is_permanent() => {
                tracing::error!(error = %error.with_causes(), "a job's secret cannot be created");
                let reason = "The build's secret cannot be created.".to_owned();
                return self.close(tenant.id, &job.reference(), reason).await;
            }
            created => created?,
        };
        let pipeline = self.pipeline(opened.isolation);
        let variables = self.variables(&tenant, &opened, &job, &secret);
        let id = match execution::start(&self.client, pipeline, job.id, variables).await? {
            Started::Running(id) => id,
            Started::Rejected(reason) => {
                return self.close(tenant.id, &job.reference(), reason).await;
            }
        };
        let log_url = self.log_url(pipeline, &id);
        let started = self.store.start_job(tenant.id, job.attempt, &id, &log_url, lambda::now());
        match started.await {
            // A concurrent delivery stored it, or the job is closed and its secret must be deleted.
            Err(Error::Stale) => match self.store.job(tenant.id, job.attempt, job.id).await? {
                Some(job) if job.is_open() => Ok(()),
                _ => self.secrets.delete(job.id).await,
            },
            noted => noted,
        }
    }

    /// Handles a closed job: deletes its secret.
    async fn job_closed(&self, event: &Event) -> Result<()> {
        match &event.job {
            Some(job) => self.secrets.delete(job.id).await,
            None => Ok(()),
        }
    }

    /// Handles a failed execution: closes its job as failed, unless the build has already reported.
    async fn execution_failed(&self, change: &StateChange) -> Result<()> {
        let id = &change.execution_id;
        match self.latest_job(&change.pipeline, id).await? {
            Some((tenant, job)) if job.outcome.is_none() && job.phase == JobPhase::Build => {
                let reason = format!("The pipeline execution {id} {}.", ended(&change.state));
                self.close(tenant, &job, reason).await
            }
            _ => Ok(()),
        }
    }

    /// Returns the tenant and the job of an execution. Returns `None` if we did not start it, or if
    /// the tenant has a later job.
    async fn latest_job(&self, pipeline: &str, id: &str) -> Result<Option<(TenantId, JobRef)>> {
        let Some(Execution { tenant, job }) = execution::named(&self.client, pipeline, id).await?
        else {
            return Ok(None);
        };
        let latest = match self.store.tenant(tenant).await {
            Ok(tenant) => tenant.latest_job,
            Err(Error::NotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(latest.filter(|latest| latest.id == job).map(|job| (tenant, job)))
    }

    async fn close(&self, tenant: TenantId, job: &JobRef, reason: String) -> Result<()> {
        let result = JobResult::unsuccessful(Outcome::Failed, reason);
        let change = JobCompletion { job, result: &result, now: lambda::now(), by: &self.system };
        match self.store.close_job(tenant, &change).await {
            Err(Error::Stale) => Ok(()),
            closed => closed,
        }
    }

    /// Returns the job if it is still queued.
    async fn queued_job(&self, tenant: TenantId, opened: &EventJob) -> Result<Option<Job>> {
        let job = self.store.job(tenant, opened.attempt, opened.id).await?;
        Ok(job.filter(|job| job.state == JobState::Queued))
    }

    fn pipeline(&self, isolation: Isolation) -> &str {
        match isolation {
            Isolation::Silo => &self.siloed,
            Isolation::Pool => &self.pooled,
        }
    }

    fn log_url(&self, pipeline: &str, execution: &str) -> String {
        let url = self.log_url.replace("{region}", &self.region);
        url.replace("{pipeline}", pipeline).replace("{execution}", execution)
    }

    /// Returns the variables of the execution. None may be empty, because CodePipeline rejects
    /// empty values. The ends of a move are left out of other jobs, because CodePipeline also rejects
    /// variables that the pipeline does not declare.
    fn variables(
        &self,
        tenant: &EventTenant,
        opened: &EventJob,
        job: &Job,
        secret: &str,
    ) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("TENANT_ID", tenant.id.to_string()),
            ("TENANT_KEY", tenant.key.to_string()),
            ("TIER", opened.tier.to_string()),
            ("JOB_ID", job.id.to_string()),
            ("CONTEXT_ID", job.id.to_string()),
            ("JOB_KIND", job.kind.to_string()),
            ("SECRET_ARN", secret.to_owned()),
            ("CALLBACK_URL", self.callback_url.clone()),
            ("SUBSCRIPTION_ID", job.subscription.id().to_owned()),
        ];
        if let Some(MoveEnds { from, to, .. }) = &job.moves {
            variables.extend([
                ("FROM_TIER", from.tier.to_string()),
                ("TO_TIER", to.tier.to_string()),
                ("FROM_ISOLATION", from.isolation.to_string()),
                ("TO_ISOLATION", to.isolation.to_string()),
            ]);
        }
        variables
    }
}

/// Describes how an execution in this `state` ended.
fn ended(state: &str) -> &'static str {
    match state {
        "CANCELED" => "was cancelled",
        "STOPPED" => "was stopped",
        "SUPERSEDED" => "was superseded by a later one",
        _ => "failed",
    }
}
