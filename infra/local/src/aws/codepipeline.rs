use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Aws, AwsFault, Result};
use crate::state::{Execution, NewExecution};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StartExecution {
    name: String,
    #[serde(default)]
    variables: Vec<Variable>,
    client_request_token: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Variable {
    name: String,
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GetExecution {
    pipeline_name: String,
    pipeline_execution_id: String,
}

impl Aws {
    /// Starts an execution. A repeated token returns the execution that it started.
    pub(super) fn start_execution(&self, request: StartExecution) -> Result<Value> {
        let declared = self.pipeline(&request.name)?;
        let variables = checked(request.variables, declared)?;
        let token = request.client_request_token;
        if !token.as_deref().is_none_or(is_token) {
            let rule = "clientRequestToken must have 1 to 128 letters, digits and hyphens";
            return Err(invalid(rule));
        }
        let new = NewExecution {
            id: uuid::Uuid::new_v4().to_string(),
            pipeline: request.name,
            token,
            variables,
            api_url: self.api_url.clone(),
        };
        let started = self.buses.execution_changed(&new.pipeline, &new.id, "STARTED");
        let id = self.state.start_execution(&new, &started)?;
        Ok(json!({ "pipelineExecutionId": id }))
    }

    pub(super) fn execution(&self, request: &GetExecution) -> Result<Value> {
        self.pipeline(&request.pipeline_name)?;
        let found = self.state.execution(&request.pipeline_execution_id)?;
        let found = found.filter(|found| found.pipeline == request.pipeline_name);
        let Execution { id, pipeline, variables, status, .. } = found.ok_or_else(|| {
            let message = "The pipeline execution does not exist";
            AwsFault::client_error("PipelineExecutionNotFoundException", message)
        })?;
        let variables = variables.into_iter();
        let variables =
            variables.map(|(name, value)| json!({ "name": name, "resolvedValue": value }));
        Ok(json!({
            "pipelineExecution": {
                "pipelineName": pipeline,
                "pipelineVersion": 1,
                "pipelineExecutionId": id,
                "status": status.name(),
                "variables": variables.collect::<Vec<_>>(),
                "executionMode": "PARALLEL",
                "executionType": "STANDARD",
            },
        }))
    }

    /// Returns the variables that the pipeline declares, if they are known.
    fn pipeline(&self, name: &str) -> Result<Option<&Vec<String>>> {
        self.template.pipelines.get(name).map(Option::as_ref).ok_or_else(|| {
            let message = format!("The account does not have a pipeline with the name '{name}'");
            AwsFault::client_error("PipelineNotFoundException", message)
        })
    }
}

/// Returns whether `token` is a valid `clientRequestToken`. Source:
/// <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_StartPipelineExecution.html>.
fn is_token(token: &str) -> bool {
    let is_letter = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-';
    (1..=128).contains(&token.len()) && token.bytes().all(is_letter)
}

fn checked(
    variables: Vec<Variable>,
    declared: Option<&Vec<String>>,
) -> Result<BTreeMap<String, String>> {
    if variables.len() > 50 {
        return Err(invalid("at most 50 variables are allowed"));
    }
    let mut checked = BTreeMap::new();
    for Variable { name, value } in variables {
        let is_name = |c: char| c.is_ascii_alphanumeric() || "@-_".contains(c);
        if name.is_empty() || name.len() > 128 || !name.chars().all(is_name) {
            return Err(invalid(format!("'{name}' is not a valid variable name")));
        }
        if value.is_empty() || value.chars().count() > 1000 {
            return Err(invalid(format!("the variable {name} must have 1 to 1000 characters")));
        }
        if declared.is_some_and(|declared| !declared.contains(&name)) {
            return Err(invalid(format!("the pipeline does not declare the variable {name}")));
        }
        if checked.insert(name.clone(), value).is_some() {
            return Err(invalid(format!("the variable {name} occurs twice")));
        }
    }
    Ok(checked)
}

fn invalid(message: impl Into<String>) -> AwsFault {
    AwsFault::client_error("ValidationException", message)
}
