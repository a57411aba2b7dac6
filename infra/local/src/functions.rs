//! The functions, bound to their crates by the name of their binary.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::Router;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use shared::Env;
use tracing::Instrument;

use crate::{
    Error, Result,
    template::{Function, Template},
};

/// The functions of a run.
#[derive(Debug, Default)]
pub(crate) struct Functions(HashMap<String, Bound>);

#[derive(Debug)]
struct Bound {
    handler: Arc<Handler>,
    timeout: Duration,
}

#[derive(Debug)]
enum Handler {
    Http(Router),
    Relay(relay::Relay),
    Upkeep(upkeep::Upkeep),
    Mailer(mailer::Mailer),
    Pipelines(pipelines::Pipelines),
    Reconciler(reconciler::Reconciler),
    Rotator(rotator::Rotator),
}

impl Functions {
    /// Builds every function of the template from its variables, without those that serve HTTP
    /// where `aws_only` says so.
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

    /// The router of a function that serves HTTP, and how long it may take.
    pub(crate) fn router(&self, binary: &str) -> Option<(Router, Duration)> {
        let bound = self.0.get(binary)?;
        match &*bound.handler {
            Handler::Http(router) => Some((router.clone(), bound.timeout)),
            _ => None,
        }
    }

    /// Hands `payload` to a function and waits for its answer, as Lambda does: a panic or too long
    /// a time is an error.
    pub(crate) async fn invoke(&self, binary: &str, payload: Value) -> Result<Value, String> {
        let Some(bound) = self.0.get(binary) else {
            return Err(format!("no function is named {binary}"));
        };
        let handler = Arc::clone(&bound.handler);
        let span = shared::lambda::span(&uuid::Uuid::new_v4().to_string());
        let mut running =
            tokio::spawn(async move { handler.handle(payload).await }.instrument(span));
        let failed = match tokio::time::timeout(bound.timeout, &mut running).await {
            Ok(Ok(Ok(answer))) => return Ok(answer),
            Ok(Ok(Err(failure))) => failure,
            Ok(Err(ended)) => ended.to_string(),
            Err(_) => {
                running.abort();
                format!("timed out after {} s", bound.timeout.as_secs())
            }
        };
        tracing::warn!(function = binary, error = failed, "an event failed");
        Err(failed)
    }
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

impl Handler {
    async fn build(binary: &str, env: &Env) -> Result<Self, Cause> {
        Ok(match binary {
            "leads" => Self::Http(Box::pin(leads::router(env)).await?),
            "tenants" => Self::Http(Box::pin(tenants::router(env)).await?),
            "contacts" => Self::Http(Box::pin(contacts::router(env)).await?),
            "invoices" => Self::Http(Box::pin(invoices::router(env)).await?),
            "tenant-configs" => Self::Http(Box::pin(tenant_configs::router(env)).await?),
            "webhook" => Self::Http(Box::pin(webhook::router(env)).await?),
            "home" => Self::Http(home::router(env).await?),
            "idp" => Self::Http(Box::pin(idp::router(env)).await?),
            "mailer" => Self::Mailer(mailer::Mailer::new(env).await?),
            "relay" => Self::Relay(relay::Relay::new(env).await?),
            "upkeep" => Self::Upkeep(upkeep::Upkeep::new(env).await?),
            "pipelines" => Self::Pipelines(pipelines::Pipelines::new(env).await?),
            "reconciler" => Self::Reconciler(reconciler::Reconciler::new(env).await?),
            "rotator" => Self::Rotator(rotator::Rotator::new(env).await?),
            _ => return Err("no crate of this name is bound in infra/local".into()),
        })
    }

    async fn handle(&self, payload: Value) -> Result<Value, String> {
        match self {
            Self::Http(_) => Err("it serves HTTP alone".into()),
            Self::Mailer(mailer) => write(mailer.handle(read(payload)?).await),
            Self::Relay(relay) => write(relay.handle(read(payload)?).await),
            Self::Upkeep(upkeep) => write(upkeep.handle(read(payload)?).await),
            Self::Pipelines(pipelines) => write(pipelines.handle(read(payload)?).await),
            Self::Reconciler(reconciler) => write(reconciler.handle(read(payload)?).await),
            Self::Rotator(rotator) => write(rotator.handle(read(payload)?).await),
        }
    }
}

fn read<T: DeserializeOwned>(payload: Value) -> Result<T, String> {
    serde_json::from_value(payload).map_err(|cause| format!("the event cannot be read: {cause}"))
}

fn write<T: Serialize>(answer: shared::Result<T>) -> Result<Value, String> {
    let answer = answer.map_err(|error| told(&error))?;
    serde_json::to_value(answer).map_err(|cause| cause.to_string())
}

/// An error with its causes.
fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
