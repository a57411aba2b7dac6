use domain::{Event, EventType, Job, Lead, Result};

/// An event to publish.
#[derive(Clone, Debug)]
pub struct OutgoingEvent {
    /// The `detail-type` of the event.
    pub kind: EventType,
    /// The `detail` of the event.
    pub event: Event,
}

impl OutgoingEvent {
    /// Creates the event of a new lead. `request` is the ID of the request that created it.
    pub(crate) fn of_lead(lead: Lead, version: u64, request: Option<String>) -> Self {
        let event = Event { request_id: request, ..Event::for_lead(lead, version) };
        Self { kind: EventType::LeadCreated, event }
    }

    /// Creates the event of a job that was opened or closed. Returns `None` for other states.
    ///
    /// # Errors
    ///
    /// If the subscription of the job is not valid JSON.
    pub(crate) fn of_job(job: Job, version: u64, request: Option<String>) -> Result<Option<Self>> {
        let Some(kind) = EventType::for_job(job.kind, job.state) else { return Ok(None) };
        let event = Event { request_id: request, ..Event::for_job(job, version) };
        Ok(Some(Self { kind, event }))
    }
}
