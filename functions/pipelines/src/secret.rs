use aws_sdk_secretsmanager::Client;
use domain::{Error, JobId, Result, TenantId};
use lambda::{Env, aws::Aws, config::ConfigError, fault::Service, keys::MasterKeys};
use secrecy::ExposeSecret;

/// The secrets that builds sign with. There is one for each open job; builds of both pipelines can
/// read them.
#[derive(Debug)]
pub(crate) struct JobSecrets {
    client: Client,
    keys: MasterKeys,
    prefix: String,
}

impl JobSecrets {
    /// Reads `JOB_SECRET_PREFIX`, the prefix of the names that the pipelines' policy allows.
    pub(crate) async fn from_env(env: &Env, aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            client: aws_sdk_secretsmanager::Client::new(&aws.service("SECRETS_MANAGER")),
            keys: MasterKeys::load(env, aws).await?,
            prefix: env.get("JOB_SECRET_PREFIX").unwrap_or("tenantry/jobs/").to_owned(),
        })
    }

    /// Returns the ARN of the job's secret. Creates the secret if it does not exist.
    pub(crate) async fn create(&self, tenant: TenantId, job: JobId) -> Result<String> {
        let created = self
            .client
            .create_secret()
            .name(self.name(job))
            .client_request_token(job.to_string())
            .secret_string(self.keys.webhook_secret(tenant, job).expose_secret())
            .send()
            .await;
        match created {
            Ok(created) => named(created.arn),
            Err(error) => match error.as_service_error() {
                Some(cause) if cause.is_resource_exists_exception() => self.found(job).await,
                _ => Err(Service::SecretsManager.error("creating a job's secret")(error)),
            },
        }
    }

    /// Deletes the job's secret immediately. Succeeds if there is none.
    pub(crate) async fn delete(&self, job: JobId) -> Result<()> {
        let request = self.client.delete_secret().secret_id(self.name(job));
        match request.force_delete_without_recovery(true).send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(cause) if cause.is_resource_not_found_exception() => Ok(()),
                _ => Err(Service::SecretsManager.error("deleting a job's secret")(error)),
            },
        }
    }

    async fn found(&self, job: JobId) -> Result<String> {
        let request = self.client.describe_secret().secret_id(self.name(job));
        named(
            request
                .send()
                .await
                .map_err(Service::SecretsManager.error("finding a job's secret"))?
                .arn,
        )
    }

    fn name(&self, job: JobId) -> String {
        format!("{}{job}", self.prefix)
    }
}

fn named(arn: Option<String>) -> Result<String> {
    arn.ok_or("the response has no ARN")
        .map_err(Error::internal("reading the ARN of a job's secret"))
}
