use aws_sdk_codepipeline::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::start_pipeline_execution::StartPipelineExecutionError,
    types::PipelineVariable,
};
use domain::{Error, JobId, Result, TenantId};
use lambda::fault::{Fault, Service};

/// The tenant and job that an execution belongs to, according to its variables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Execution {
    pub(crate) tenant: TenantId,
    pub(crate) job: JobId,
}

/// The result of starting a pipeline.
#[derive(Clone, Debug)]
pub(crate) enum Started {
    /// The execution with this ID is running.
    Running(String),
    /// CodePipeline rejected the request permanently, for this reason.
    Rejected(String),
}

/// Starts `pipeline` for a job.
///
/// Idempotent: the job's ID is the request token, so a repeated call returns the same execution.
pub(crate) async fn start(
    client: &Client,
    pipeline: &str,
    job: JobId,
    variables: impl IntoIterator<Item = (&'static str, String)>,
) -> Result<Started> {
    let mut request =
        client.start_pipeline_execution().name(pipeline).client_request_token(job.to_string());
    for (name, value) in variables {
        let variable = PipelineVariable::builder().name(name).value(value).build();
        request =
            request.variables(variable.map_err(Error::permanent("building a pipeline variable"))?);
    }
    match request.send().await {
        Ok(started) => {
            let id = started.pipeline_execution_id.ok_or("the response has no execution ID");
            id.map(Started::Running).map_err(Error::internal(STARTING))
        }
        Err(error) => match Service::CodePipeline.fault_of(&error) {
            Fault::Permanent => Ok(Started::Rejected(refusal(pipeline, error))),
            Fault::Transient => Err(Error::internal(STARTING)(error)),
        },
    }
}

const STARTING: &str = "starting a pipeline";

/// Returns the reason to store in the job, and logs the cause. CodePipeline's own message is only
/// logged, because it may name the account.
fn refusal(pipeline: &str, cause: SdkError<StartPipelineExecutionError>) -> String {
    let reason = match cause.as_service_error() {
        Some(error) if error.is_pipeline_not_found_exception() => "does not exist".to_owned(),
        Some(error) => format!("cannot be started ({})", error.code().unwrap_or("no code")),
        None => "cannot be started".to_owned(),
    };
    let error = Error::permanent(STARTING)(cause);
    tracing::error!(error = %error.with_causes(), pipeline, "a pipeline cannot be started");
    format!("The pipeline {pipeline} {reason}.")
}

/// Returns the tenant and job of the execution `id`. Returns `None` if we did not start it.
pub(crate) async fn named(client: &Client, pipeline: &str, id: &str) -> Result<Option<Execution>> {
    let request = client.get_pipeline_execution().pipeline_name(pipeline).pipeline_execution_id(id);
    let reply = request.send().await;
    let reply = reply.map_err(Service::CodePipeline.error("reading a pipeline execution"))?;
    let variables =
        reply.pipeline_execution.map(|execution| execution.variables.unwrap_or_default());
    let variables = variables.unwrap_or_default();
    let value = |name| {
        let named = variables.iter().find(|variable| variable.name() == Some(name));
        named.and_then(|variable| variable.resolved_value())
    };
    let tenant = value("TENANT_ID").and_then(|id| id.parse().ok());
    let job = value("JOB_ID").and_then(|id| id.parse().ok());
    Ok(tenant.zip(job).map(|(tenant, job)| Execution { tenant, job }))
}
