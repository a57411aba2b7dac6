//! Metrics: lines of the log in CloudWatch's embedded metric format, which cost no call.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use crate::{
    Env,
    domain::{Outcome, Timestamp},
};

/// The target of the events that metrics are: a log writes their message as it stands.
pub const TARGET: &str = "metric";

/// Something that is measured, in the namespace `Tenantry`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Somebody asked for a tenant.
    Lead,
    /// A lead has proved its e-mail address.
    Verification,
    /// A tenant became active, of this tier; tiers that share resources count as `pool`, since a
    /// client names them as it likes and each name would be a metric of its own.
    Tenant(String),
    /// A job ended so.
    Job(Outcome),
    /// How long it took from the opening of a job to an active tenant.
    TimeToActive(Duration),
    /// SES did not take a mail.
    MailFailed,
    /// The cache did not answer.
    CacheDown,
    /// A consumer of many could not do one of them now, and tries it again.
    ItemFailed,
    /// A consumer gave one of many up, and put it into a failure queue.
    ItemSetAside,
}

/// Where metrics are written, in the name of an environment (`APP_ENV`).
#[derive(Clone, Debug)]
pub struct Metrics(Arc<str>);

impl Metrics {
    /// Metrics of `APP_ENV`, which is `dev` where it is not set.
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
    /// Its name, unit, value and the dimension that it has of its own.
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
            Self::ItemFailed => one("ItemsFailed", None),
            Self::ItemSetAside => one("ItemsSetAside", None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_one_line_that_holds_what_it_declares() {
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
