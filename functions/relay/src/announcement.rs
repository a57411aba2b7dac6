use aws_lambda_events::dynamodb::EventRecord;
use serde_dynamo::{AttributeValue, Item, from_item};
use shared::{
    Error, Result,
    domain::{Event, EventType, Job, Lead},
    store::Item as _,
};

/// An event that is ready for the bus.
#[derive(Clone, Debug)]
pub struct Announcement {
    /// Its `detail-type`.
    pub kind: EventType,
    /// Its `detail`.
    pub event: Event,
}

impl Announcement {
    /// What a stream record announces: a new lead, a job that opened or closed, or nothing.
    ///
    /// # Errors
    ///
    /// Where the item is of one of those kinds and cannot be read.
    pub fn of(record: EventRecord) -> Result<Option<Self>> {
        let (new, old) = (record.change.new_image, record.change.old_image);
        let created = record.event_name == "INSERT";
        let request = text(&new, "requestId").map(str::to_owned);
        let announced = match text(&new, "entity") {
            Some(Lead::KIND) if created => Self::of_lead(new).map(Some),
            Some(Job::KIND) if text(&new, "state") != text(&old, "state") => Self::of_job(new),
            _ => Ok(None),
        }?;
        Ok(announced.map(|Self { kind, event }| Self {
            kind,
            event: Event { request_id: request, ..event },
        }))
    }

    fn of_lead(image: Item) -> Result<Self> {
        let version = version(&image)?;
        let lead: Lead = from_item(image).map_err(Error::aws("reading a lead"))?;
        Ok(Self { kind: EventType::LeadCreated, event: Event::of_lead(lead, version) })
    }

    fn of_job(image: Item) -> Result<Option<Self>> {
        let version = version(&image)?;
        let job: Job = from_item(image).map_err(Error::aws("reading a job"))?;
        let Some(kind) = EventType::of_job(job.kind, job.state) else { return Ok(None) };
        Ok(Some(Self { kind, event: Event::of_job(job, version)? }))
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
            version.parse().map_err(Error::aws("reading an item's version"))
        }
        _ => Err(Error::aws("reading an item's version")("there is none")),
    }
}
