//! Rules that send events to functions, defined as events of a function or as separate resources.

use serde_json::Value;

use super::{
    Fault, Function, Result,
    events::{known, pattern},
    number,
    stack::{Stack, members},
};
use crate::bus::Pattern;

/// A rule that sends events to a function.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The name of the rule.
    pub name: String,
    /// The bus of the rule.
    pub bus: String,
    /// The event pattern.
    pub pattern: Pattern,
    /// The binary of the receiving function.
    pub function: String,
    /// Whether events that cannot be delivered go to a dead-letter queue.
    pub has_dead_letters: bool,
    /// Maximum retries of a delivery, if the template sets it.
    pub retries: Option<u32>,
}

/// Returns every rule: events of functions, and separate resources.
pub(super) fn all(stack: &Stack<'_>, functions: &[Function]) -> Result<Vec<Rule>> {
    let mut rules = Vec::new();
    for function in functions {
        for (name, event) in members(&function.events) {
            if !matches!(event["Type"].as_str(), Some("EventBridgeRule" | "CloudWatchEvent")) {
                continue;
            }
            let (name, given) = (format!("{}.{name}", function.id), &event["Properties"]);
            let simulated = [
                "DeadLetterConfig",
                "EventBusName",
                "Pattern",
                "RetryPolicy",
                "RuleName",
                "State",
                "Target",
            ];
            known(&name, given, &simulated)?;
            rules.extend(rule(&name, given, &given["Pattern"], given, &function.binary)?);
        }
    }
    for resource in stack.of_type("AWS::Events::Rule")? {
        let given = &resource.properties;
        if given.get("ScheduleExpression").is_some() {
            return Err(Fault(format!(
                "{} is a rule with a schedule, which is not simulated",
                resource.id
            )));
        }
        for target in given["Targets"].as_array().into_iter().flatten() {
            known(&resource.id, target, &["Arn", "DeadLetterConfig", "Id", "RetryPolicy"])?;
            let name = target["Arn"].as_str().unwrap_or_default();
            let function = functions.iter().find(|one| name.ends_with(&format!(":{}", one.name)));
            let function = function.ok_or_else(|| {
                Fault(format!(
                    "{} has a target that is not a function of the template",
                    resource.id
                ))
            })?;
            let pattern = &given["EventPattern"];
            rules.extend(rule(&resource.id, given, pattern, target, &function.binary)?);
        }
    }
    Ok(rules)
}

fn rule(
    name: &str,
    given: &Value,
    written: &Value,
    target: &Value,
    function: &str,
) -> Result<Option<Rule>> {
    if given["State"] == "DISABLED" {
        return Ok(None);
    }
    let bus = given["EventBusName"].as_str().unwrap_or("default");
    let retries = number(&target["RetryPolicy"], "MaximumRetryAttempts")?;
    Ok(Some(Rule {
        name: name.to_owned(),
        bus: bus.rsplit('/').next().unwrap_or(bus).to_owned(),
        pattern: pattern(name, written)?,
        function: function.to_owned(),
        has_dead_letters: target.get("DeadLetterConfig").is_some(),
        retries: retries.and_then(|most| u32::try_from(most).ok()),
    }))
}
