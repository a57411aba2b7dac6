use aws_lambda_events::dynamodb::EventRecord;
use serde_dynamo::{AttributeValue, Item, from_item};
use shared::{
    Error, Result,
    domain::{Isolation, Job, JobKind, Lead, Outcome},
    metric::Metric,
    store::Item as _,
};

/// What a stream record adds to the metrics.
///
/// # Errors
///
/// Where the item is a job that cannot be read.
pub(crate) fn of(record: &EventRecord) -> Result<Vec<Metric>> {
    let (new, old) = (&record.change.new_image, &record.change.old_image);
    Ok(match new.get("entity") {
        Some(AttributeValue::S(kind)) if kind == Lead::KIND => of_lead(new, old),
        Some(AttributeValue::S(kind))
            if kind == Job::KIND && new.get("state") != old.get("state") =>
        {
            of_job(&from_item(new.clone()).map_err(Error::aws("reading a job"))?)
        }
        _ => Vec::new(),
    })
}

fn of_lead(new: &Item, old: &Item) -> Vec<Metric> {
    let validated = |image: &Item| image.get("isValidated") == Some(&AttributeValue::Bool(true));
    match (old.get("id").is_some(), validated(old), validated(new)) {
        (false, _, _) => vec![Metric::Lead],
        (true, false, true) => vec![Metric::Verification],
        _ => Vec::new(),
    }
}

fn of_job(job: &Job) -> Vec<Metric> {
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
