use std::{collections::HashMap, convert::Infallible};

use axum::Router;
use lambda::{Env, config::ConfigError};
use lambda_runtime::{LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::OnceCell;

use super::HttpFunction;

/// Serves a router behind the HTTP API.
///
/// # Errors
///
/// [`ConfigError`] if the router cannot be built from the environment, or an error of the runtime.
pub async fn serve(
    build: impl AsyncFnOnce(&Env) -> Result<Router, ConfigError>,
) -> Result<(), lambda_http::Error> {
    let env = lambda::start()?;
    let function = HttpFunction::new(Box::pin(build(&env)).await.inspect_err(lambda::report)?);
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        Ok::<_, Infallible>(function.answer(&event.payload, event.context).await)
    }))
    .await
}

/// Serves a router, and takes variables that the environment lacks from the API's stage. Unless the
/// environment has `needed`, the first event builds the router.
///
/// Some resources refer to the API, which refers to its functions. A function that refers to them
/// in turn is a circular dependency for CloudFormation. A stage may refer to them.
///
/// # Errors
///
/// [`ConfigError`] if the router cannot be built, or an error of the runtime.
pub async fn serve_staged(
    needed: &str,
    build: impl AsyncFn(&Env) -> Result<Router, ConfigError>,
) -> Result<(), lambda_http::Error> {
    let env = lambda::start()?;
    let built = async |env: &Env| {
        let router = Box::pin(build(env)).await.inspect_err(lambda::report)?;
        Ok::<_, ConfigError>(HttpFunction::new(router))
    };
    let ready = match env.get(needed) {
        Some(_) => Some(built(&env).await?),
        None => None,
    };
    let function = OnceCell::new_with(ready);
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        let function =
            function.get_or_try_init(|| async { built(&with_stage(&env, &event.payload)).await });
        Ok::<_, lambda_http::Error>(function.await?.answer(&event.payload, event.context).await)
    }))
    .await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Staged {
    #[serde(default)]
    stage_variables: HashMap<String, String>,
}

/// Returns the environment, completed by the stage variables of an event.
fn with_stage(env: &Env, event: &RawValue) -> Env {
    let staged =
        serde_json::from_str(event.get()).map(|Staged { stage_variables }| stage_variables);
    let missing = staged.unwrap_or_default().into_iter();
    let missing = missing.filter(|(name, _)| env.get(name).is_none());
    env.clone().with(missing.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::{json, value::to_raw_value};

    use super::*;

    #[test]
    fn a_stage_completes_the_environment_and_overrides_nothing() {
        let env = Env::from_iter([("A", "own"), ("B", "")]);
        let event = json!({ "stageVariables": { "A": "stage", "B": "stage", "C": "stage" } });
        let completed = with_stage(&env, &to_raw_value(&event).unwrap());
        assert_eq!(
            ["A", "B", "C"].map(|name| completed.get(name)),
            [Some("own"), Some("stage"), Some("stage")]
        );
        for event in [json!({}), json!([]), json!({ "stageVariables": null })] {
            let same = with_stage(&env, &to_raw_value(&event).unwrap());
            assert_eq!(same.get("B"), None, "{event}");
        }
    }
}
