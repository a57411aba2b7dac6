use domain::{Isolation, Job, JobKind, Outcome};
use lambda::metric::Metric;
use serde_dynamo::{AttributeValue, Item};

/// Returns the metrics of a changed lead.
pub(crate) fn of_lead(new: &Item, old: &Item) -> Vec<Metric> {
    let validated = |image: &Item| image.get("isValidated") == Some(&AttributeValue::Bool(true));
    match (old.get("id").is_some(), validated(old), validated(new)) {
        (false, _, _) => vec![Metric::Lead],
        (true, false, true) => vec![Metric::Verification],
        _ => Vec::new(),
    }
}

/// Returns the metrics of a job that changed its state.
pub(crate) fn of_job(job: &Job) -> Vec<Metric> {
    let Some(outcome) = job.state.outcome() else { return Vec::new() };
    let mut metrics = vec![Metric::Job(outcome)];
    if (job.kind, outcome) == (JobKind::Provision, Outcome::Succeeded) {
        let tier = match job.isolation {
            Isolation::Silo => job.tier.to_string(),
            Isolation::Pool => "pool".to_owned(),
        };
        let time = job.audit.modified_on.since(job.audit.created_on);
        metrics.extend([Metric::Tenant(tier), Metric::TimeToActive(time)]);
    }
    metrics
}
