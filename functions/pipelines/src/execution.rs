use aws_sdk_codepipeline::{Client, types::PipelineVariable};
use shared::{
    Error, Result,
    domain::{JobId, TenantId},
};

/// Whose an execution is, by its variables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Execution {
    pub(crate) tenant: TenantId,
    pub(crate) job: JobId,
}

/// Starts `pipeline` for a job and says the execution's id; `None` where there is no such pipeline.
///
/// The job's id is the request's token: starting again finds the same execution.
pub(crate) async fn start(
    client: &Client,
    pipeline: &str,
    job: JobId,
    variables: impl IntoIterator<Item = (&'static str, String)>,
) -> Result<Option<String>> {
    let mut request =
        client.start_pipeline_execution().name(pipeline).client_request_token(job.to_string());
    for (name, value) in variables {
        let variable = PipelineVariable::builder().name(name).value(value).build();
        request = request.variables(variable.map_err(Error::aws("naming a pipeline's variable"))?);
    }
    match request.send().await {
        Ok(started) => {
            let id = started.pipeline_execution_id.ok_or("it has no id");
            id.map(Some).map_err(Error::aws("starting a pipeline"))
        }
        Err(error) => match error.as_service_error() {
            Some(cause) if cause.is_pipeline_not_found_exception() => Ok(None),
            _ => Err(Error::aws("starting a pipeline")(error)),
        },
    }
}

/// Whose the execution `id` is; `None` for one that was not started by us.
pub(crate) async fn named(client: &Client, pipeline: &str, id: &str) -> Result<Option<Execution>> {
    let request = client.get_pipeline_execution().pipeline_name(pipeline).pipeline_execution_id(id);
    let reply = request.send().await.map_err(Error::aws("reading a pipeline execution"))?;
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
