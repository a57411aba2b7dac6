use domain::{Event, EventType, Job, Lead, Result, Subscription};

/// An event to publish.
#[derive(Clone, Debug)]
pub struct OutgoingEvent {
    /// The `detail-type` of the event.
    pub kind: EventType,
    /// The `detail` of the event.
    pub event: Event,
}

impl OutgoingEvent {
    /// Creates the event of a lead that was created, or asked for another link. `request` is the ID
    /// of the request that did so.
    pub(crate) fn of_lead(
        kind: EventType,
        lead: Lead,
        version: u64,
        request: Option<String>,
    ) -> Self {
        Self { kind, event: Event::for_lead(lead, version, request) }
    }

    /// Creates an event of a subscription that has this `version`.
    pub(crate) fn of_subscription(
        kind: EventType,
        subscription: &Subscription,
        version: u64,
        request: Option<String>,
    ) -> Result<Self> {
        Ok(Self { kind, event: Event::for_subscription(kind, subscription, version, request)? })
    }

    /// Creates the event of a job that was opened or closed. Returns `None` for other states.
    pub(crate) fn of_job(job: Job, version: u64, request: Option<String>) -> Option<Self> {
        let kind = EventType::for_job(job.kind, job.state)?;
        Some(Self { kind, event: Event::for_job(job, version, request) })
    }
}
