use aws_lambda_events::dynamodb::EventRecord;
use domain::{
    Error, Event, EventType, Grants, Job, Lead, Result, Subscription, Tenant, TenantStatus,
};
use lambda::metric::Metric;
use serde_dynamo::{AttributeValue, Item, from_attribute_value, from_item};
use store::Item as _;

use crate::{OutgoingEvent, metrics};

/// The events and metrics that follow from a stream record.
#[derive(Debug, Default)]
pub(crate) struct StreamChange {
    /// The event of a lead that is new or has a new link, of a job that was opened or closed, or of a
    /// tenant whose suspension began or ended, or whose features changed; or the events of a decision
    /// about a subscription, in order.
    pub(crate) events: Vec<OutgoingEvent>,
    pub(crate) metrics: Vec<Metric>,
}

impl StreamChange {
    /// Reads a stream record.
    ///
    /// # Errors
    ///
    /// If a lead, a tenant or a subscription with an event, or a job whose state has changed, cannot be
    /// read.
    pub(crate) fn of(record: EventRecord) -> Result<Self> {
        let (new, old) = (record.change.new_image, record.change.old_image);
        let request = text(&new, "requestId").map(str::to_owned);
        match text(&new, "entity") {
            Some(Lead::ENTITY) => {
                let metrics = metrics::of_lead(&new, &old);
                let event = lead_event(&record.event_name, &new, &old).map(|kind| -> Result<_> {
                    let version = version(&new)?;
                    let lead: Lead = from_item(new).map_err(Error::internal("reading a lead"))?;
                    Ok(OutgoingEvent::of_lead(kind, lead, version, request))
                });
                Ok(Self { events: event.transpose()?.into_iter().collect(), metrics })
            }
            Some(Job::ENTITY) if text(&new, "state") != text(&old, "state") => {
                let version = version(&new)?;
                let job: Job = from_item(new).map_err(Error::internal("reading a job"))?;
                let metrics = metrics::of_job(&job);
                let event = OutgoingEvent::of_job(job, version, request);
                Ok(Self { events: event.into_iter().collect(), metrics })
            }
            Some(Subscription::ENTITY) if version(&new)? != version(&old).unwrap_or(0) => {
                let events = subscription_events(new, request.as_deref())?;
                Ok(Self { events, metrics: Vec::new() })
            }
            Some(Tenant::ENTITY) => match tenant_event(&new, &old) {
                Some(kind) => Self::of_tenant(kind, new),
                None => Ok(Self::default()),
            },
            Some(Grants::ENTITY) => Self::of_grants(new, &old),
            _ => Ok(Self::default()),
        }
    }

    fn of_tenant(kind: EventType, new: Item) -> Result<Self> {
        let (version, request) = (version(&new)?, traced_request(&new));
        let tenant: Tenant = from_item(new).map_err(Error::internal("reading a tenant"))?;
        let event = OutgoingEvent { kind, event: Event::for_tenant(&tenant, version, request) };
        Ok(Self { events: vec![event], metrics: Vec::new() })
    }

    fn of_grants(new: Item, old: &Item) -> Result<Self> {
        let (version, request) = (version(&new)?, traced_request(&new));
        let read = |image: Item| -> Result<Grants> {
            from_item(image).map_err(Error::internal("reading a tenant's entitlements"))
        };
        let old = old.get("entity").is_some().then(|| read(old.clone())).transpose()?;
        let new = read(new)?;
        let event = new.differ_from(old.as_ref()).then(|| OutgoingEvent {
            kind: EventType::EntitlementsChanged,
            event: Event::for_entitlements(&new, version, request),
        });
        Ok(Self { events: event.into_iter().collect(), metrics: Vec::new() })
    }
}

/// Returns the events that a version of a subscription names.
fn subscription_events(image: Item, request: Option<&str>) -> Result<Vec<OutgoingEvent>> {
    const READING: &str = "reading a subscription";
    let Some(named) = image.get("events").cloned() else { return Ok(Vec::new()) };
    let kinds: Vec<EventType> = from_attribute_value(named).map_err(Error::internal(READING))?;
    let version = version(&image)?;
    let subscription: Subscription = from_item(image).map_err(Error::internal(READING))?;
    let event = |kind| {
        OutgoingEvent::of_subscription(kind, &subscription, version, request.map(str::to_owned))
    };
    kinds.into_iter().map(event).collect()
}

/// Returns the type of event for a changed tenant, if the change is one.
fn tenant_event(new: &Item, old: &Item) -> Option<EventType> {
    let status = |image: &Item| -> Option<TenantStatus> {
        from_attribute_value(image.get("status")?.clone()).ok()
    };
    EventType::for_tenant(status(old)?, status(new)?)
}

/// Returns the ID of the request that made the last change.
fn traced_request(image: &Item) -> Option<String> {
    match image.get("trace")? {
        AttributeValue::M(trace) => match trace.get("requestId")? {
            AttributeValue::S(request) => Some(request.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// Returns the type of event for a changed lead, if the change is one.
fn lead_event(change: &str, new: &Item, old: &Item) -> Option<EventType> {
    if change == "INSERT" {
        return Some(EventType::LeadCreated);
    }
    let has_new_link = new.get("link").is_some() && new.get("link") != old.get("link");
    has_new_link.then_some(EventType::LeadLinkRequested)
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
