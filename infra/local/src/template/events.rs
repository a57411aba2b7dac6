//! The triggers of functions: routes, streams and schedules. For rules, see [`super::rules`].

use std::time::Duration;

use serde_json::Value;

use super::{Fault, Result, number, stack::members, text};
use crate::bus::Pattern;

/// A route of the HTTP API.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// The method in uppercase, or `ANY`.
    pub method: String,
    /// The path with `{parameters}`, or `$default`.
    pub path: String,
    /// The binary of the function that serves the route.
    pub function: String,
}

/// An event source mapping from a table's stream to a function.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// The table.
    pub table: String,
    /// The stream's ARN.
    pub arn: String,
    /// Whether the first start reads existing records.
    pub from_the_start: bool,
    /// Maximum records of one invocation.
    pub batch_size: usize,
    /// Maximum retries; `None` for no limit.
    pub retries: Option<u32>,
    /// Maximum age of a record; `None` for no limit.
    pub max_age: Option<Duration>,
    /// Whether a failed batch is split.
    pub bisects: bool,
    /// Whether the function reports failed records.
    pub reports_failures: bool,
    /// Records that match none of these are skipped. If empty, no record is skipped.
    pub filters: Vec<Pattern>,
}

impl Mapping {
    /// Returns whether a record passes the filters.
    #[must_use]
    pub fn wants(&self, record: &serde_json::Value) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| filter.matches(record))
    }

    /// Returns the name that the stream's position is stored under.
    pub(crate) fn name(&self, function: &str) -> String {
        format!("{} stream to {function}", self.table)
    }
}

/// A schedule that invokes a function.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The name of the schedule.
    pub name: String,
    /// The period.
    pub every: Duration,
    /// The input of the function.
    pub input: Value,
}

/// The triggers of a function, except for rules.
#[derive(Debug, Default)]
pub(super) struct Triggers {
    pub(super) routes: Vec<Route>,
    pub(super) streams: Vec<Mapping>,
    pub(super) schedules: Vec<Schedule>,
}

impl Triggers {
    /// Reads the `events` of the function with this ID and binary.
    pub(super) fn read(id: &str, binary: &str, events: &Value) -> Result<Self> {
        let mut triggers = Self::default();
        for (name, event) in members(events) {
            let (name, given) = (format!("{id}.{name}"), &event["Properties"]);
            match event["Type"].as_str().unwrap_or("no type") {
                "HttpApi" => triggers.routes.push(route(&name, binary, given)?),
                "DynamoDB" => triggers.streams.push(mapping(&name, given)?),
                "Schedule" | "ScheduleV2" => triggers.schedules.extend(schedule(&name, given)?),
                "EventBridgeRule" | "CloudWatchEvent" => {}
                other => {
                    return Err(Fault(format!(
                        "{name} is a {other} event, which is not simulated"
                    )));
                }
            }
        }
        Ok(triggers)
    }
}

fn route(name: &str, function: &str, properties: &Value) -> Result<Route> {
    known(name, properties, &["ApiId", "Auth", "Method", "Path", "PayloadFormatVersion"])?;
    let authorizer = properties["Auth"].get("Authorizer").filter(|auth| *auth != "NONE");
    if let Some(authorizer) = authorizer {
        return Err(Fault(format!(
            "{name} has the authorizer {authorizer}, which is not simulated"
        )));
    }
    if properties.get("PayloadFormatVersion").is_some_and(|version| *version != "2.0") {
        return Err(Fault(format!("{name} does not use payload format 2.0")));
    }
    let path = properties["Path"].as_str().unwrap_or("$default").to_owned();
    let method = properties["Method"].as_str().unwrap_or("ANY").to_uppercase();
    let method = if path == "$default" || method == "X-AMAZON-APIGATEWAY-ANY-METHOD" {
        "ANY".into()
    } else {
        method
    };
    Ok(Route { method, path, function: function.to_owned() })
}

fn mapping(name: &str, properties: &Value) -> Result<Mapping> {
    let simulated = [
        "BatchSize",
        "BisectBatchOnFunctionError",
        "DestinationConfig",
        "Enabled",
        "FilterCriteria",
        "FunctionResponseTypes",
        "MaximumBatchingWindowInSeconds",
        "MaximumRecordAgeInSeconds",
        "MaximumRetryAttempts",
        "ParallelizationFactor",
        "StartingPosition",
        "Stream",
    ];
    known(name, properties, &simulated)?;
    let arn = text(&properties["Stream"], &format!("{name}.Stream"))?;
    let table = arn.split('/').nth(1);
    let table =
        table.ok_or_else(|| Fault(format!("{name} does not name the stream of a table: {arn}")))?;
    let limit = |name| match &properties[name] {
        Value::Number(number) if number.as_i64() == Some(-1) => Ok(None),
        _ => number(properties, name),
    };
    let filters = properties["FilterCriteria"]["Filters"].as_array();
    let filters = filters.into_iter().flatten().map(|filter| pattern(name, &filter["Pattern"]));
    Ok(Mapping {
        table: table.to_owned(),
        from_the_start: properties["StartingPosition"] == "TRIM_HORIZON",
        batch_size: usize::try_from(number(properties, "BatchSize")?.unwrap_or(100)).unwrap_or(100),
        retries: limit("MaximumRetryAttempts")?.and_then(|most| u32::try_from(most).ok()),
        max_age: limit("MaximumRecordAgeInSeconds")?.map(Duration::from_secs),
        bisects: properties["BisectBatchOnFunctionError"] == true,
        reports_failures: properties["FunctionResponseTypes"]
            .as_array()
            .is_some_and(|types| types.iter().any(|kind| kind == "ReportBatchItemFailures")),
        filters: filters.collect::<Result<_>>()?,
        arn,
    })
}

fn schedule(name: &str, properties: &Value) -> Result<Option<Schedule>> {
    if properties["State"] == "DISABLED" || properties["Enabled"] == false {
        return Ok(None);
    }
    let expression = properties.get("ScheduleExpression").or_else(|| properties.get("Schedule"));
    let expression = expression.and_then(Value::as_str).unwrap_or_default();
    let rate = expression.strip_prefix("rate(").and_then(|rate| rate.strip_suffix(')'));
    let every = rate.and_then(|rate| {
        let (count, unit) = rate.split_once(' ')?;
        let seconds = match unit.trim_end_matches('s') {
            "minute" => 60,
            "hour" => 3600,
            "day" => 86_400,
            _ => return None,
        };
        Some(Duration::from_secs(count.parse::<u64>().ok()? * seconds))
    });
    let every = every.filter(|every| !every.is_zero()).ok_or_else(|| {
        Fault(format!("{name} has the schedule \"{expression}\", but only rate(…) is supported"))
    })?;
    let input = match &properties["Input"] {
        Value::String(input) => serde_json::from_str(input)
            .map_err(|_| Fault(format!("{name} has an Input that is not valid JSON")))?,
        _ => Value::Object(serde_json::Map::new()),
    };
    Ok(Some(Schedule { name: name.to_owned(), every, input }))
}

pub(super) fn pattern(name: &str, written: &Value) -> Result<Pattern> {
    let parsed = match written {
        Value::String(json) => serde_json::from_str(json)
            .map_err(|_| Fault(format!("{name} has a pattern that is not valid JSON")))?,
        written => written.clone(),
    };
    Pattern::parse(parsed).map_err(|fault| Fault(format!("{name}: {fault}")))
}

/// Rejects properties that are not simulated.
pub(super) fn known(name: &str, properties: &Value, simulated: &[&str]) -> Result<()> {
    match members(properties).find(|(member, _)| !simulated.contains(&member.as_str())) {
        Some((member, _)) => Err(Fault(format!("{name} has {member}, which is not simulated"))),
        None => Ok(()),
    }
}
