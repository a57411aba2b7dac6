use domain::{JobId, TenantId};
use lambda::keys::{MasterKeys, mac};
use reqwest::{Method, RequestBuilder};
use secrecy::SecretString;
use serde_json::Value;

use crate::{Client, Reply};

/// A signed webhook message about a job, as a build sends it.
#[derive(Clone, Debug)]
pub struct SignedMessage {
    body: String,
    timestamp: String,
    signature: String,
}

impl SignedMessage {
    /// Signs `body` with the secret of the tenant's job, as of now.
    pub fn new(keys: &MasterKeys, tenant: TenantId, job: JobId, body: &Value) -> Self {
        Self::at(keys, tenant, job, body, lambda::now().millis())
    }

    /// Signs `body` as of `millis` since the epoch.
    pub fn at(keys: &MasterKeys, tenant: TenantId, job: JobId, body: &Value, millis: i64) -> Self {
        Self::sign(keys, tenant, job, body.to_string(), millis)
    }

    /// Signs the unchanged text `body`, as of now.
    pub fn text(keys: &MasterKeys, tenant: TenantId, job: JobId, body: String) -> Self {
        Self::sign(keys, tenant, job, body, lambda::now().millis())
    }

    /// Signs `body` with a secret and its context, as of now.
    pub fn with_secret(secret: &SecretString, context: &str, body: &Value) -> Self {
        Self::sign_with(secret, context, body.to_string(), lambda::now().millis())
    }

    fn sign(keys: &MasterKeys, tenant: TenantId, job: JobId, body: String, millis: i64) -> Self {
        Self::sign_with(&keys.webhook_secret(tenant, job), &job.to_string(), body, millis)
    }

    fn sign_with(secret: &SecretString, context: &str, body: String, millis: i64) -> Self {
        let timestamp = millis.to_string();
        let parts = [body.as_bytes(), context.as_bytes(), timestamp.as_bytes()];
        let signature = mac(secret, &parts);
        let hex = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Self { body, timestamp, signature: hex }
    }

    /// Sends the message.
    pub async fn send(&self, client: &Client) -> Reply {
        client.send(Method::POST, "/webhook", |request| self.sign_request(request)).await
    }

    /// Sends the message with an idempotency key.
    pub async fn send_with_key(&self, client: &Client, key: &str) -> Reply {
        let with_key = |request| self.sign_request(request).header("idempotency-key", key);
        client.send(Method::POST, "/webhook", with_key).await
    }

    fn sign_request(&self, request: RequestBuilder) -> RequestBuilder {
        request
            .header("content-type", "application/json")
            .header("x-timestamp", &self.timestamp)
            .header("x-signature", &self.signature)
            .body(self.body.clone())
    }

    /// Returns the same message with another body, so that the signature is wrong.
    pub fn tampered(&self, body: &Value) -> Self {
        Self { body: body.to_string(), ..self.clone() }
    }
}
