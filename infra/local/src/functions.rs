//! The functions, bound to their crates by the names of their binaries.

use std::{collections::HashMap, future::Future, sync::Arc, time::Duration};

use lambda::Env;
use lambda_http::Context;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};
use tracing::Instrument;
use web::HttpFunction;

use crate::{
    Error, Result,
    template::{Function, Template},
};

/// Maximum payload of a synchronous invocation, in bytes. Source of this and the next two limits:
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>.
pub(crate) const MAX_BYTES: usize = 6 << 20;

/// Maximum payload of an asynchronous invocation, in bytes.
const MAX_BYTES_ASYNC: usize = 1 << 20;

/// Maximum size of an answer, in bytes, as stated by Lambda's error message.
const MAX_ANSWERED: usize = 6_291_556;

/// The functions of a run.
#[derive(Debug, Default)]
pub(crate) struct Functions(HashMap<String, Bound>);

#[derive(Debug)]
struct Bound {
    handler: Arc<Handler>,
    timeout: Duration,
}

/// A running function.
#[derive(Debug)]
#[expect(missing_docs, reason = "the crate of the same name has the documentation")]
pub enum Handler {
    Http(HttpFunction),
    Relay(relay::Relay),
    Upkeep(Box<upkeep::Upkeep>),
    Identity(Box<idp::Identity>),
    Mailer(mailer::Mailer),
    Pipelines(pipelines::Pipelines),
    Reconciler(reconciler::Reconciler),
    Rotator(rotator::Rotator),
}

impl Functions {
    /// Builds every function of the template from its variables. With `aws_only`, the HTTP
    /// functions are skipped.
    pub(crate) async fn build(
        template: &Template,
        aws_only: bool,
        env_of: impl Fn(&Function) -> Env,
    ) -> Result<Self> {
        let mut functions = HashMap::new();
        for function in &template.functions {
            if aws_only && !function.routes.is_empty() {
                continue;
            }
            let binary = &function.binary;
            let built = Box::pin(Handler::build(binary, &env_of(function))).await;
            let handler =
                built.map_err(|cause| Error::Function { binary: binary.clone(), cause })?;
            let bound = Bound { handler: Arc::new(handler), timeout: function.timeout };
            functions.insert(binary.clone(), bound);
        }
        Ok(Self(functions))
    }

    /// Creates a single HTTP function that serves `router`.
    #[cfg(test)]
    pub(crate) fn of(binary: &str, router: axum::Router, timeout: Duration) -> Self {
        let handler = Arc::new(Handler::Http(HttpFunction::new(router)));
        Self(HashMap::from([(binary.to_owned(), Bound { handler, timeout })]))
    }

    /// Returns whether a function serves HTTP.
    pub(crate) fn serves_http(&self, binary: &str) -> bool {
        self.0.get(binary).is_some_and(|bound| matches!(&*bound.handler, Handler::Http(_)))
    }

    /// Invokes a function with an event of the HTTP API and returns the answer.
    pub(crate) async fn request(
        &self,
        binary: &str,
        event: Box<RawValue>,
    ) -> Result<Vec<u8>, Failure> {
        let bound = self.bound(binary)?;
        check(event.get().len(), MAX_BYTES)?;
        let handler = Arc::clone(&bound.handler);
        let answer = run(bound.timeout, async move { handler.answer(&event).await });
        let answer = answer.await?;
        match answer.len() {
            bytes if bytes > MAX_ANSWERED => Err(Failure::Function(format!(
                "Response payload size exceeded maximum allowed payload size ({MAX_ANSWERED} bytes)."
            ))),
            _ => Ok(answer),
        }
    }

    /// Invokes a function as EventBridge does: asynchronously, with a smaller maximum payload.
    pub(crate) async fn invoke_async(&self, binary: &str, payload: Value) -> Result<Value, String> {
        self.hand_over(binary, payload, MAX_BYTES_ASYNC).await.map_err(|it| it.to_string())
    }

    /// Invokes a function and returns its answer. As on Lambda, a panic or a timeout is an error.
    pub(crate) async fn invoke(&self, binary: &str, payload: Value) -> Result<Value, String> {
        self.hand_over(binary, payload, MAX_BYTES).await.map_err(|it| it.to_string())
    }

    async fn hand_over(&self, binary: &str, payload: Value, most: usize) -> Result<Value, Failure> {
        let bound = self.bound(binary)?;
        check(payload.to_string().len(), most)?;
        let handler = Arc::clone(&bound.handler);
        let span = lambda::span(&uuid::Uuid::new_v4().to_string());
        let handled = async move { handler.handle(payload).await }.instrument(span);
        run(bound.timeout, handled).await.inspect_err(|failure| {
            tracing::warn!(function = binary, error = %failure, "an event failed");
        })
    }

    fn bound(&self, binary: &str) -> Result<&Bound, Failure> {
        let unknown = || Failure::Function(format!("there is no function {binary}"));
        self.0.get(binary).ok_or_else(unknown)
    }
}

/// Why an invocation has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The payload exceeds Lambda's limit.
    #[error("{bytes} byte payload is too large (limit {most} bytes)")]
    TooLarge {
        /// Size of the payload, in bytes.
        bytes: usize,
        /// Limit of Lambda, in bytes.
        most: usize,
    },
    /// The function failed, panicked or timed out.
    #[error("{0}")]
    Function(String),
}

fn check(bytes: usize, most: usize) -> Result<(), Failure> {
    if bytes > most { Err(Failure::TooLarge { bytes, most }) } else { Ok(()) }
}

/// Runs an invocation in its own task, so that a panic affects nothing else and the invocation
/// continues if the caller stops waiting.
async fn run<T: Send + 'static>(
    timeout: Duration,
    invocation: impl Future<Output = Result<T, String>> + Send + 'static,
) -> Result<T, Failure> {
    let ended = match tokio::spawn(tokio::time::timeout(timeout, invocation)).await {
        Ok(Ok(ended)) => ended,
        Ok(Err(_)) => Err(format!("Task timed out after {} seconds", timeout.as_secs())),
        Err(panicked) => Err(panicked.to_string()),
    };
    ended.map_err(Failure::Function)
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

impl Handler {
    /// Starts the function `binary` with the variables in `env`.
    ///
    /// # Errors
    ///
    /// If there is no such function, or it cannot start.
    pub async fn build(binary: &str, env: &Env) -> Result<Self, Cause> {
        let http = |router| Self::Http(HttpFunction::new(router));
        Ok(match binary {
            "leads" => http(Box::pin(leads::router(env)).await?),
            "tenants" => http(Box::pin(tenants::router(env)).await?),
            "audit" => http(Box::pin(audit::router(env)).await?),
            "plans" => http(Box::pin(plans::router(env)).await?),
            "contacts" => http(Box::pin(contacts::router(env)).await?),
            "invoices" => http(Box::pin(invoices::router(env)).await?),
            "subscriptions" => http(Box::pin(subscriptions::router(env)).await?),
            "tenant-configs" => http(Box::pin(tenant_configs::router(env)).await?),
            "webhook" => http(Box::pin(webhook::router(env)).await?),
            "home" => http(home::router(env).await?),
            "idp" => http(Box::pin(idp::router(env)).await?),
            "operators" => http(Box::pin(operators::router(env)).await?),
            "identity" => Self::Identity(Box::new(Box::pin(idp::Identity::new(env)).await?)),
            "mailer" => Self::Mailer(mailer::Mailer::new(env).await?),
            "relay" => Self::Relay(relay::Relay::new(env).await?),
            "upkeep" => Self::Upkeep(Box::new(Box::pin(upkeep::Upkeep::new(env)).await?)),
            "pipelines" => Self::Pipelines(pipelines::Pipelines::new(env).await?),
            "reconciler" => Self::Reconciler(reconciler::Reconciler::new(env).await?),
            "rotator" => Self::Rotator(rotator::Rotator::new(env).await?),
            _ => return Err("infra/local has no crate with this name".into()),
        })
    }

    /// Answers an event of the HTTP API.
    ///
    /// # Errors
    ///
    /// If the function serves no HTTP, or its answer cannot be written.
    pub async fn answer(&self, event: &RawValue) -> Result<Vec<u8>, String> {
        let Self::Http(function) = self else {
            return Err("the function does not serve HTTP".into());
        };
        let answer = function.answer(event, Context::default()).await;
        serde_json::to_vec(&answer).map_err(|cause| cause.to_string())
    }

    /// Handles any other event, and returns the function's answer.
    ///
    /// # Errors
    ///
    /// The failure of the function, with its causes.
    pub async fn handle(&self, payload: Value) -> Result<Value, String> {
        match self {
            Self::Http(_) => Err("the function only serves HTTP".into()),
            Self::Identity(identity) => write(Box::pin(identity.handle(read(payload)?)).await),
            Self::Mailer(mailer) => write(mailer.handle(read(payload)?).await),
            Self::Relay(relay) => write(Ok(relay.handle(read(payload)?).await)),
            Self::Upkeep(upkeep) => write(Box::pin(upkeep.handle(read(payload)?)).await),
            Self::Pipelines(pipelines) => write(pipelines.handle(read(payload)?).await),
            Self::Reconciler(reconciler) => write(reconciler.handle(read(payload)?).await),
            Self::Rotator(rotator) => write(rotator.handle(read(payload)?).await),
        }
    }
}

fn read<T: DeserializeOwned>(payload: Value) -> Result<T, String> {
    serde_json::from_value(payload).map_err(|cause| format!("the event cannot be read: {cause}"))
}

fn write<T: Serialize>(answer: domain::Result<T>) -> Result<Value, String> {
    let answer = answer.map_err(|error| with_causes(&error))?;
    serde_json::to_value(answer).map_err(|cause| cause.to_string())
}

/// Returns an error with its causes.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn payloads_are_limited_to_1_mb_or_6_mb_if_synchronous() {
        let functions = Functions::of("tested", axum::Router::new(), Duration::from_secs(1));
        let text = |bytes: usize| Value::from("x".repeat(bytes - 2));
        let taken = Err("the function only serves HTTP".to_owned());
        let refused = |most: usize| {
            Err(format!("{} byte payload is too large (limit {most} bytes)", most + 1))
        };
        let (one, six) = (1_048_576, 6_291_456);
        assert_eq!(functions.invoke_async("tested", text(one)).await, taken);
        assert_eq!(functions.invoke_async("tested", text(one + 1)).await, refused(one));
        assert_eq!(functions.invoke("tested", text(six)).await, taken);
        assert_eq!(functions.invoke("tested", text(six + 1)).await, refused(six));
    }
}
