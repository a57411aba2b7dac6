use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use super::{
    Fault, Result, Route,
    events::{Mapping, Schedule, Triggers},
    number,
    stack::{Resource, Stack, members},
    text,
};

/// A Lambda function.
#[derive(Clone, Debug)]
pub struct Function {
    /// The logical ID.
    pub id: String,
    /// The name, with which the ARN ends.
    pub name: String,
    /// The binary of the function.
    pub binary: String,
    /// The environment variables.
    pub variables: BTreeMap<String, String>,
    /// Time limit of one invocation.
    pub timeout: Duration,
    /// The routes that the function serves.
    pub routes: Vec<Route>,
    /// The streams that the function reads.
    pub streams: Vec<Mapping>,
    /// The schedules that invoke the function.
    pub schedules: Vec<Schedule>,
    /// How failed events are retried.
    pub retries: Retries,
    /// The events as written in the template, which include rules.
    pub(super) events: Value,
}

/// How asynchronous invocations are retried (`EventInvokeConfig`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// Maximum retries.
    pub most: u32,
    /// Maximum age of an event.
    pub max_age: Duration,
}

pub(super) fn all(stack: &Stack<'_>) -> Result<Vec<Function>> {
    stack.of_type("AWS::Serverless::Function")?.iter().map(function).collect()
}

fn function(resource: &Resource) -> Result<Function> {
    let Resource { id, properties, metadata, .. } = resource;
    let binary = metadata["BuildProperties"]["Binary"].as_str();
    let binary = binary.ok_or_else(|| Fault(format!("{id} has no Binary in its Metadata")))?;
    let events = properties["Events"].clone();
    let Triggers { routes, streams, schedules } = Triggers::read(id, binary, &events)?;
    Ok(Function {
        id: id.clone(),
        name: resource.name(),
        binary: binary.to_owned(),
        variables: variables(id, properties)?,
        timeout: Duration::from_secs(number(properties, "Timeout")?.unwrap_or(3)),
        routes,
        streams,
        schedules,
        retries: retries(properties)?,
        events,
    })
}

fn variables(id: &str, properties: &Value) -> Result<BTreeMap<String, String>> {
    let variables = members(&properties["Environment"]["Variables"]);
    let texts = variables.map(|(name, value)| {
        Ok((name.clone(), text(value, &format!("the variable {name} of {id}"))?))
    });
    texts.collect()
}

fn retries(properties: &Value) -> Result<Retries> {
    let config = &properties["EventInvokeConfig"];
    let most = number(config, "MaximumRetryAttempts")?.unwrap_or(2);
    let age = number(config, "MaximumEventAgeInSeconds")?.unwrap_or(21_600);
    Ok(Retries { most: u32::try_from(most).unwrap_or(2), max_age: Duration::from_secs(age) })
}
