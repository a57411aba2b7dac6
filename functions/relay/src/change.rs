use aws_lambda_events::dynamodb::EventRecord;
use domain::{Error, Job, Lead, Result};
use lambda::metric::Metric;
use serde_dynamo::{AttributeValue, Item, from_item};
use store::Item as _;

use crate::{OutgoingEvent, metrics};

/// The event and metrics that follow from a stream record.
#[derive(Debug, Default)]
pub(crate) struct StreamChange {
    /// The event of a new lead, or of a job that was opened or closed.
    pub(crate) event: Option<OutgoingEvent>,
    pub(crate) metrics: Vec<Metric>,
}

impl StreamChange {
    /// Reads a stream record.
    ///
    /// # Errors
    ///
    /// If a new lead, or a job whose state has changed, cannot be read.
    pub(crate) fn of(record: EventRecord) -> Result<Self> {
        let (new, old) = (record.change.new_image, record.change.old_image);
        let request = text(&new, "requestId").map(str::to_owned);
        match text(&new, "entity") {
            Some(Lead::ENTITY) => {
                let metrics = metrics::of_lead(&new, &old);
                let event = (record.event_name == "INSERT").then(|| -> Result<_> {
                    let version = version(&new)?;
                    let lead: Lead = from_item(new).map_err(Error::internal("reading a lead"))?;
                    Ok(OutgoingEvent::of_lead(lead, version, request))
                });
                Ok(Self { event: event.transpose()?, metrics })
            }
            Some(Job::ENTITY) if text(&new, "state") != text(&old, "state") => {
                let version = version(&new)?;
                let job: Job = from_item(new).map_err(Error::internal("reading a job"))?;
                let metrics = metrics::of_job(&job);
                Ok(Self { event: OutgoingEvent::of_job(job, version, request), metrics })
            }
            _ => Ok(Self::default()),
        }
    }
}

fn text<'i>(image: &'i Item, name: &str) -> Option<&'i str> {
    match image.get(name)? {
        AttributeValue::S(text) => Some(text),
        _ => None,
    }
}

fn version(image: &Item) -> Result<u64> {
    match image.get("version") {
        Some(AttributeValue::N(version)) => {
            version.parse().map_err(Error::internal("reading an item's version"))
        }
        _ => Err(Error::internal("reading an item's version")("the item has no version")),
    }
}
