//! Rotates key sets in Secrets Manager, in the four steps of a rotation.
//!
//! Every step is idempotent, and a rotation may be abandoned between any two steps. Readers of the
//! secret see no change before the last step.
//!
//! Source: <https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html>

use aws_sdk_secretsmanager::{
    Client,
    operation::{describe_secret::DescribeSecretOutput, get_secret_value::GetSecretValueError},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use domain::{Error, Result};
use lambda::{Env, aws::Aws, config::ConfigError, keys::KeySet};
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// Bytes of a key. In Base64 these are 64 characters, the block size of SHA-256. Longer keys would
/// not be stronger (RFC 2104 §3).
const KEY_BYTES: usize = 48;

const CURRENT: &str = "AWSCURRENT";
const PENDING: &str = "AWSPENDING";

/// A request from Secrets Manager.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    secret_id: String,
    /// The ID of the new version.
    client_request_token: String,
    step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Step {
    #[serde(rename = "createSecret")]
    Create,
    #[serde(rename = "setSecret")]
    Set,
    #[serde(rename = "testSecret")]
    Test,
    #[serde(rename = "finishSecret")]
    Finish,
}

/// Rotates key sets.
#[derive(Debug)]
pub struct Rotator {
    client: Client,
    /// The secret with the master keys, `MASTER_KEYS_ARN`.
    master_keys: Option<String>,
}

impl Rotator {
    /// Creates a rotator from the environment.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a variable is missing or malformed.
    pub async fn new(env: &Env) -> Result<Self, ConfigError> {
        let aws = Aws::from_env(env)?;
        Ok(Self {
            client: Client::new(&aws.service("SECRETS_MANAGER")),
            master_keys: env.get("MASTER_KEYS_ARN").map(str::to_owned),
        })
    }

    /// Performs one step of a rotation.
    ///
    /// # Errors
    ///
    /// If Secrets Manager fails, or if the new set would not accept current signatures.
    pub async fn handle(&self, request: Request) -> Result<()> {
        let (id, version) = (&request.secret_id, &request.client_request_token);
        match request.step {
            Step::Create => self.create(id, version).await,
            // No other system holds the key: everything that verifies signatures reads the set.
            Step::Set => Ok(()),
            Step::Test => self.test(id, version).await,
            Step::Finish => self.finish(id, version).await,
        }
    }

    async fn create(&self, id: &str, version: &str) -> Result<()> {
        if self.set(id, PENDING, Some(version)).await?.is_some() {
            return Ok(());
        }
        let current = self.current(id).await?;
        let mut next = current.rotated(fresh_key()?);
        if self.master_keys.as_deref() == Some(id) {
            next = next.verifying_audit_of(&current);
        }
        let request = self.client.put_secret_value().secret_id(id).client_request_token(version);
        let put =
            request.secret_string(next.to_secret().expose_secret()).version_stages(PENDING).send();
        put.await.map(drop).map_err(Error::internal("writing a rotated set of keys"))
    }

    async fn test(&self, id: &str, version: &str) -> Result<()> {
        let pending = self.set(id, PENDING, Some(version)).await?;
        let pending = pending
            .ok_or("there is no pending version")
            .map_err(Error::internal("testing a set of keys"))?;
        if pending.verifies(&self.current(id).await?) {
            return Ok(());
        }
        Err(Error::internal("testing a set of keys")(
            "the new set would not accept current signatures",
        ))
    }

    async fn finish(&self, id: &str, version: &str) -> Result<()> {
        let described = self.client.describe_secret().secret_id(id).send().await;
        let described = described.map_err(Error::internal("reading the versions of a secret"))?;
        let current = version_at(&described, CURRENT);
        if current == Some(version) {
            return Ok(());
        }
        let moved = self
            .client
            .update_secret_version_stage()
            .secret_id(id)
            .version_stage(CURRENT)
            .move_to_version_id(version)
            .set_remove_from_version_id(current.map(str::to_owned))
            .send();
        moved.await.map(drop).map_err(Error::internal("promoting a set of keys"))
    }

    async fn current(&self, id: &str) -> Result<KeySet> {
        let current = self.set(id, CURRENT, None).await?;
        current
            .ok_or("there is no current version")
            .map_err(Error::internal("reading the current set of keys"))
    }

    async fn set(&self, id: &str, stage: &str, version: Option<&str>) -> Result<Option<KeySet>> {
        let request = self.client.get_secret_value().secret_id(id).version_stage(stage);
        let reply = request.set_version_id(version.map(str::to_owned)).send().await;
        let value = match reply {
            Ok(reply) => reply.secret_string.unwrap_or_default(),
            Err(cause) => match cause.as_service_error() {
                Some(GetSecretValueError::ResourceNotFoundException(_)) => return Ok(None),
                _ => return Err(Error::internal("reading a set of keys")(cause)),
            },
        };
        KeySet::parse("the secret", &value.into())
            .map(Some)
            .map_err(Error::internal("reading a set of keys"))
    }
}

fn version_at<'d>(described: &'d DescribeSecretOutput, stage: &str) -> Option<&'d str> {
    let stages = described.version_ids_to_stages()?;
    let at = |stages: &[String]| stages.iter().any(|known| known == stage);
    stages.iter().find(|(_, stages)| at(stages)).map(|(version, _)| version.as_str())
}

fn fresh_key() -> Result<SecretString> {
    let mut bytes = [0; KEY_BYTES];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled
        .map_err(|_| "the random number generator failed")
        .map_err(Error::internal("generating a key"))?;
    Ok(BASE64.encode(bytes).into())
}
