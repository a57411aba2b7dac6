use serde::Deserialize;
use serde_json::{Value, json};

use super::{Aws, AwsFault, Result, generate};
use crate::{
    state::Secret,
    template::{GeneratedSecret, secret_arn},
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateSecret {
    name: String,
    #[serde(default)]
    client_request_token: String,
    secret_string: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    secret_id: String,
    #[serde(default)]
    force_delete_without_recovery: bool,
}

impl Aws {
    /// Generates the values of the template's secrets that have none yet.
    pub(crate) fn generate_secrets(&self) -> Result<()> {
        for GeneratedSecret { arn, name, generate } in &self.template.secrets {
            if self.state.secret(arn)?.is_none() {
                let value = generate::value(generate)?;
                self.state.add_secret(arn, name, &value, &uuid::Uuid::new_v4().to_string())?;
            }
        }
        Ok(())
    }

    pub(super) fn create_secret(&self, request: CreateSecret) -> Result<Value> {
        let CreateSecret { name, client_request_token: token, secret_string } = request;
        let is_name = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
        if name.is_empty() || name.len() > 512 || !name.chars().all(is_name) {
            return Err(AwsFault::client_error("ValidationException", "Invalid name."));
        }
        if !token.is_empty() && !(32..=64).contains(&token.len()) {
            let rule = "ClientRequestToken must have 32 to 64 characters.";
            return Err(AwsFault::client_error("ValidationException", rule));
        }
        let value = secret_string.ok_or_else(|| {
            AwsFault::not_simulated("SecretsManager CreateSecret without a string")
        })?;
        if value.is_empty() || value.len() > 65_536 {
            return Err(AwsFault::client_error(
                "ValidationException",
                "Invalid length of the secret.",
            ));
        }
        let arn = secret_arn(&self.secrets_arn, &name);
        if !self.state.add_secret(&arn, &name, &value, &token)? {
            let is_same = |found: &Secret| found.token == token && found.value == value;
            if !self.state.secret(&name)?.as_ref().is_some_and(is_same) {
                let message = format!("the secret {name} already exists.");
                return Err(AwsFault::client_error("ResourceExistsException", message));
            }
        }
        Ok(json!({ "ARN": arn, "Name": name, "VersionId": token }))
    }

    pub(super) fn secret_value(&self, request: &Named) -> Result<Value> {
        let secret = self.found(request)?;
        Ok(json!({
            "ARN": secret.arn,
            "Name": secret.name,
            "VersionId": secret.token,
            "SecretString": secret.value,
            "VersionStages": ["AWSCURRENT"],
            "CreatedDate": seconds(secret.created_at),
        }))
    }

    pub(super) fn describe_secret(&self, request: &Named) -> Result<Value> {
        let secret = self.found(request)?;
        Ok(json!({
            "ARN": secret.arn,
            "Name": secret.name,
            "CreatedDate": seconds(secret.created_at),
            "VersionIdsToStages": { secret.token: ["AWSCURRENT"] },
        }))
    }

    /// Deletes a secret. As on AWS, a forced deletion succeeds even if the secret does not exist.
    pub(super) fn delete_secret(&self, request: &Named) -> Result<Value> {
        if !request.force_delete_without_recovery {
            return Err(AwsFault::not_simulated(
                "SecretsManager DeleteSecret with a recovery window",
            ));
        }
        let found = self.state.secret(&request.secret_id)?;
        self.state.delete_secret(&request.secret_id)?;
        let (arn, name) = found.map_or_else(
            || (secret_arn(&self.secrets_arn, &request.secret_id), request.secret_id.clone()),
            |secret| (secret.arn, secret.name),
        );
        Ok(json!({ "ARN": arn, "Name": name, "DeletionDate": seconds(lambda::now().millis()) }))
    }

    fn found(&self, request: &Named) -> Result<Secret> {
        self.state.secret(&request.secret_id)?.ok_or_else(|| {
            let message = "Secrets Manager can't find the specified secret.";
            AwsFault::client_error("ResourceNotFoundException", message)
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "present times fit")]
fn seconds(millis: i64) -> f64 {
    millis as f64 / 1000.0
}
