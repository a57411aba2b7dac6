use shared::{
    Result,
    domain::{Event, EventType, Job, Lead},
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
    /// That of a new lead, which the request of this id asked for.
    pub(crate) fn of_lead(lead: Lead, version: u64, request: Option<String>) -> Self {
        let event = Event { request_id: request, ..Event::of_lead(lead, version) };
        Self { kind: EventType::LeadCreated, event }
    }

    /// That of a job that opened or closed; `None` of one that is between the two.
    ///
    /// # Errors
    ///
    /// Where its subscription is no JSON.
    pub(crate) fn of_job(job: Job, version: u64, request: Option<String>) -> Result<Option<Self>> {
        let Some(kind) = EventType::of_job(job.kind, job.state) else { return Ok(None) };
        let event = Event { request_id: request, ..Event::of_job(job, version)? };
        Ok(Some(Self { kind, event }))
    }
}
