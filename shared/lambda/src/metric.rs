//! Metrics: log lines in CloudWatch's embedded metric format, which take no API call.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use crate::Env;
use domain::Outcome;
use schema::Timestamp;

/// The target of the tracing events that carry metrics. The log writes their message unchanged.
pub const TARGET: &str = "metric";

/// A metric in the namespace `Tenantry`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Metric {
    /// A lead was created.
    Lead,
    /// A lead verified its email address.
    Verification,
    /// A tenant of this tier became active. Tiers with shared resources count as `pool`, because
    /// clients choose their names and each name would be a separate metric.
    Tenant(String),
    /// A job ended with this outcome.
    Job(Outcome),
    /// The time from the opening of a job to an active tenant.
    TimeToActive(Duration),
    /// SES did not accept an email.
    MailFailed,
    /// The cache did not respond.
    CacheDown,
    /// The identity provider of operators did not respond.
    ProviderUnreachable,
    /// A consumer failed on one item and will retry it.
    ItemFailed,
    /// A consumer gave up on one item and sent it to a dead-letter queue.
    ItemSetAside,
}

/// Writes metrics with the name of an environment (`APP_ENV`).
#[derive(Clone, Debug)]
pub struct Metrics(Arc<str>);

impl Metrics {
    /// Creates a writer for the environment `APP_ENV`, `dev` by default.
    #[must_use]
    pub fn from_env(env: &Env) -> Self {
        Self(env.get("APP_ENV").unwrap_or("dev").into())
    }

    /// Writes `metric`.
    pub fn write(&self, metric: &Metric, now: Timestamp) {
        tracing::info!(target: TARGET, "{}", self.line(metric, now));
    }

    fn line(&self, metric: &Metric, now: Timestamp) -> Value {
        let (name, unit, value, dimension) = metric.parts();
        let mut dimensions = vec!["AppEnv"];
        let mut line = json!({ "AppEnv": &*self.0, name: value });
        if let Some((dimension, of)) = dimension {
            dimensions.push(dimension);
            line[dimension] = json!(of);
        }
        line["_aws"] = json!({
            "Timestamp": now.millis(),
            "CloudWatchMetrics": [{
                "Namespace": "Tenantry",
                "Dimensions": [dimensions],
                "Metrics": [{ "Name": name, "Unit": unit }],
            }],
        });
        line
    }
}

impl Metric {
    /// Returns the name, unit and value of the metric, and its own dimension if it has one.
    fn parts(&self) -> (&'static str, &'static str, Value, Option<(&'static str, Value)>) {
        let one = |name, dimension| (name, "Count", json!(1), dimension);
        match self {
            Self::Lead => one("Leads", None),
            Self::Verification => one("Verifications", None),
            Self::Tenant(tier) => one("Tenants", Some(("Tier", json!(tier)))),
            Self::Job(outcome) => one("Jobs", Some(("Outcome", json!(outcome)))),
            Self::TimeToActive(time) => {
                let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
                ("TimeToActive", "Milliseconds", json!(millis), None)
            }
            Self::MailFailed => one("MailsFailed", None),
            Self::CacheDown => one("CacheDown", None),
            Self::ProviderUnreachable => one("ProviderUnreachable", None),
            Self::ItemFailed => one("ItemsFailed", None),
            Self::ItemSetAside => one("ItemsSetAside", None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_line_contains_all_declared_values() {
        let metrics = Metrics::from_env(&[("APP_ENV", "prod")].into_iter().collect());
        for metric in [
            Metric::Lead,
            Metric::Tenant("PREMIUM".to_owned()),
            Metric::Job(Outcome::TimedOut),
            Metric::TimeToActive(Duration::from_millis(1500)),
        ] {
            let line = metrics.line(&metric, Timestamp::from_millis(7));
            let declared = &line["_aws"]["CloudWatchMetrics"][0];
            assert_eq!((&line["_aws"]["Timestamp"], &line["AppEnv"]), (&json!(7), &json!("prod")));
            for name in declared["Dimensions"][0].as_array().unwrap() {
                assert!(line[name.as_str().unwrap()].is_string(), "{line}");
            }
            let name = declared["Metrics"][0]["Name"].as_str().unwrap();
            assert!(line[name].is_u64(), "{line}");
        }
        let line = metrics.line(&Metric::Job(Outcome::TimedOut), Timestamp::from_millis(7));
        insta::assert_snapshot!(line, @r#"{"AppEnv":"prod","Jobs":1,"Outcome":"timed_out","_aws":{"CloudWatchMetrics":[{"Dimensions":[["AppEnv","Outcome"]],"Metrics":[{"Name":"Jobs","Unit":"Count"}],"Namespace":"Tenantry"}],"Timestamp":7}}"#);
    }
}
