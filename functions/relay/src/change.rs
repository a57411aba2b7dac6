use aws_lambda_events::dynamodb::EventRecord;
use domain::{Error, Job, Lead, Result};
use lambda::metric::Metric;
use serde_dynamo::{AttributeValue, Item, from_item};
use store::Item as _;

use crate::{Announcement, measures};

/// The event and metrics that follow from a stream record.
#[derive(Debug, Default)]
pub(crate) struct Change {
    /// The event of a new lead, or of a job that was opened or closed.
    pub(crate) announcement: Option<Announcement>,
    pub(crate) metrics: Vec<Metric>,
}

impl Change {
    /// Reads a stream record.
    ///
    /// # Errors
    ///
    /// If a new lead, or a job whose state has changed, cannot be read.
    pub(crate) fn of(record: EventRecord) -> Result<Self> {
        let (new, old) = (record.change.new_image, record.change.old_image);
        let request = text(&new, "requestId").map(str::to_owned);
        match text(&new, "entity") {
            Some(Lead::KIND) => {
                let metrics = measures::of_lead(&new, &old);
                let announced = (record.event_name == "INSERT").then(|| -> Result<_> {
                    let version = version(&new)?;
                    let lead: Lead = from_item(new).map_err(Error::internal("reading a lead"))?;
                    Ok(Announcement::of_lead(lead, version, request))
                });
                Ok(Self { announcement: announced.transpose()?, metrics })
            }
            Some(Job::KIND) if text(&new, "state") != text(&old, "state") => {
                let version = version(&new)?;
                let job: Job = from_item(new).map_err(Error::internal("reading a job"))?;
                let metrics = measures::of_job(&job);
                Ok(Self { announcement: Announcement::of_job(job, version, request)?, metrics })
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
