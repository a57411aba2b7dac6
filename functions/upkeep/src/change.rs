use std::{collections::BTreeMap, fmt};

use aws_lambda_events::dynamodb::EventRecord;
use domain::{
    AddressDetail, AuditEntry, ChildKind, Error, Histogram, JobRef, Lead, Phase, Resend, Result,
    Subscription, Tenant, TenantId, TenantStatus,
};
use schema::Timestamp;
use serde_dynamo::{AttributeValue, Item, from_attribute_value, from_item};
use store::{
    CANCELLED, CounterChange, Item as _, ONBOARDED, SearchChange, SearchSource, TOTAL, day_counter,
    month_kind, phase_counter, revenue_counter, status_counter,
};

use crate::audit;

/// A changed item, with the counters that include it before and after the change.
#[derive(Clone, Debug)]
pub struct StreamChange {
    item: ItemVersion,
    before: BTreeMap<String, i64>,
    after: BTreeMap<String, i64>,
    day: Option<(Timestamp, String)>,
    resend: Option<ResendRequest>,
    /// Whether a job of the tenant closed that may have left obsolete resources.
    leaves_resources: bool,
    search: Option<SearchChange>,
    audit: Option<AuditEntry>,
}

/// A version of an item. Its text is the ID under which the change is counted.
#[derive(Clone, Debug)]
struct ItemVersion {
    entity: String,
    id: String,
    version: u64,
    removed: bool,
}

impl fmt::Display for ItemVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entity, id, version, removed } = self;
        write!(f, "{entity}#{id}#{version}{}", if *removed { "#removed" } else { "" })
    }
}

/// A request for another link, with the ID of the API request.
#[derive(Clone, Debug)]
pub struct ResendRequest {
    /// The request.
    pub resend: Resend,
    /// The ID of the API request.
    pub request: String,
}

impl StreamChange {
    /// Reads a stream record. The audit log keeps this `detail` of a client's address.
    ///
    /// # Errors
    ///
    /// If the item has no entity, ID or version, or cannot be read.
    pub fn of(record: &EventRecord, detail: AddressDetail) -> Result<Self> {
        let (new, old) = (&record.change.new_image, &record.change.old_image);
        // A removed item, such as an expired one, has only its old image.
        let removed = record.event_name == "REMOVE";
        let last = if removed { old } else { new };
        let unread =
            |what| Error::internal("reading a stream record")(format!("the item has no {what}"));
        let entity = text(last, "entity").ok_or_else(|| unread("entity"))?.to_owned();
        let id = text(last, "id").ok_or_else(|| unread("id"))?.to_owned();
        let version = number(last, "version").ok_or_else(|| unread("version"))?;
        let (before, after) = (numbers(&entity, old), numbers(&entity, new));
        let day = day(&entity, new, old);
        let resend = (entity == Resend::ENTITY).then(|| ResendRequest::of(new)).transpose()?;
        let leaves_resources = entity == Tenant::ENTITY && leaves_resources(new, old);
        let search = if SearchSource::is_of(&entity) { search(old, new)? } else { None };
        let audit = audit::entry(record, detail);
        let item = ItemVersion { entity, id, version, removed };
        Ok(Self { item, before, after, day, resend, leaves_resources, search, audit })
    }

    /// Returns the difference in the counters of the item's kind. Returns `None` if there is none.
    #[must_use]
    pub fn counter_change(&self) -> Option<CounterChange> {
        let mut numbers = self.after.clone();
        for (name, number) in &self.before {
            *numbers.entry(name.clone()).or_default() -= number;
        }
        numbers.retain(|_, number| *number != 0);
        let (change, kind) = (self.item.to_string(), self.item.entity.clone());
        (!numbers.is_empty()).then_some(CounterChange { change, kind, numbers })
    }

    /// Returns the increment of a daily number, if a tenant was created or became active for the
    /// first time, or a subscription was cancelled.
    #[must_use]
    pub fn daily_change(&self) -> Option<CounterChange> {
        let (moment, number) = self.day.as_ref()?;
        let (change, kind) = (format!("{}#day", self.item), month_kind(*moment));
        Some(CounterChange { change, kind, numbers: [(day_counter(*moment, number), 1)].into() })
    }

    /// Returns the request for another link, if the change is one.
    #[must_use]
    pub fn resend_request(&self) -> Option<&ResendRequest> {
        self.resend.as_ref()
    }

    /// Returns the change of the words by which the item is found. Returns `None` if there is none.
    #[must_use]
    pub fn search_change(&self) -> Option<&SearchChange> {
        self.search.as_ref()
    }

    /// Returns the entry of the audit log for the change. Returns `None` if it has none.
    #[must_use]
    pub fn audit_entry(&self) -> Option<&AuditEntry> {
        self.audit.as_ref()
    }

    /// Returns whether the change leads to a write.
    pub(crate) fn needs_write(&self) -> bool {
        self.counter_change().is_some()
            || self.day.is_some()
            || self.deleted_tenant().is_some()
            || self.resend.is_some()
            || self.search.is_some()
            || self.audit.is_some()
            || self.leaves_resources
    }

    /// Returns the tenant if one of its jobs closed that may have left obsolete resources.
    #[must_use]
    pub fn swept_tenant(&self) -> Option<TenantId> {
        self.changed_tenant().filter(|_| self.leaves_resources)
    }

    /// Returns the tenant if the change deleted one.
    #[must_use]
    pub fn deleted_tenant(&self) -> Option<TenantId> {
        self.changed_tenant().filter(|_| self.after.is_empty())
    }

    /// Returns the tenant if the change affects an existing one.
    #[must_use]
    pub fn changed_tenant(&self) -> Option<TenantId> {
        let changed = self.item.entity == Tenant::ENTITY && !self.before.is_empty();
        changed.then(|| self.item.id.parse().ok()).flatten()
    }
}

impl ResendRequest {
    fn of(image: &Item) -> Result<Self> {
        let request = text(image, "requestId").unwrap_or_default().to_owned();
        let resend =
            from_item(image.clone()).map_err(Error::internal("reading a resend request"))?;
        Ok(Self { resend, request })
    }
}

/// The kinds of items that are counted.
const COUNTED: [&str; 6] = [
    Lead::ENTITY,
    Tenant::ENTITY,
    Subscription::ENTITY,
    ChildKind::Contact.noun(),
    ChildKind::Config.noun(),
    ChildKind::Invoice.noun(),
];

/// Returns the counters that include an item, such as the total and its status. Returns none if the
/// item is deleted or did not exist.
fn numbers(entity: &str, image: &Item) -> BTreeMap<String, i64> {
    let flag = |name| matches!(image.get(name), Some(AttributeValue::Bool(true)));
    if image.get("entity").is_none() || !COUNTED.contains(&entity) || flag("deleted") {
        return BTreeMap::new();
    }
    let mut counted = vec![TOTAL.to_owned()];
    match entity {
        Tenant::ENTITY => {
            counted.extend(status(image).map(|status| status_counter(status.number())));
        }
        Subscription::ENTITY => return of_subscription(image),
        Lead::ENTITY if flag("isValidated") => counted.push("validated".to_owned()),
        _ => {}
    }
    counted.into_iter().map(|name| (name, 1)).collect()
}

/// Returns the counters that include a subscription. One that cannot be read is only in the total.
fn of_subscription(image: &Item) -> BTreeMap<String, i64> {
    let mut numbers = BTreeMap::from([(TOTAL.to_owned(), 1)]);
    if let Ok(subscription) = from_item::<_, Subscription>(image.clone()) {
        let phase = subscription.phase;
        numbers.insert(status_counter(phase.status()), 1);
        numbers.insert(phase_counter(phase), 1);
        let revenue = i64::try_from(subscription.monthly_revenue()).unwrap_or(i64::MAX);
        numbers.insert(revenue_counter(subscription.plan.currency_code), revenue);
    }
    numbers
}

/// Returns the time of a change that counts for a daily number, and the name of that number.
fn day(entity: &str, new: &Item, old: &Item) -> Option<(Timestamp, String)> {
    let moment = |name| text(new, name)?.parse::<Timestamp>().ok();
    if entity == Subscription::ENTITY {
        let is_cancelled = |image| phase(image) == Some(Phase::Cancelled);
        let cancelled = is_cancelled(new) && !is_cancelled(old);
        return Some((moment("modifiedOn").filter(|_| cancelled)?, CANCELLED.to_owned()));
    }
    if entity != Tenant::ENTITY {
        return None;
    }
    if old.get("entity").is_none() {
        return Some((moment("createdOn")?, ONBOARDED.to_owned()));
    }
    let built = status(old) == Some(TenantStatus::Provisioning)
        && status(new) == Some(TenantStatus::Active);
    let then = moment("modifiedOn").filter(|_| built)?;
    Some((then, Histogram::bucket(then.since(moment("createdOn")?))))
}

/// Returns whether a job closed that has written resources in advance, or that may have reported
/// the resources of an earlier attempt again.
fn leaves_resources(new: &Item, old: &Item) -> bool {
    let latest = |image: &Item| match image.get("latestJob") {
        Some(AttributeValue::M(job)) => from_item::<_, JobRef>(Item::from(job.clone())).ok(),
        _ => None,
    };
    let is_closed = |job: &JobRef| job.outcome.is_some();
    let Some(job) = latest(new).filter(is_closed) else { return false };
    let closes = !latest(old).is_some_and(|old| is_closed(&old) && old.id == job.id);
    closes && (job.attempt > 1 || number(new, "stagedBy") == Some(job.attempt.into()))
}

/// Returns the change of the words by which an item is found.
fn search(old: &Item, new: &Item) -> Result<Option<SearchChange>> {
    let source = |image: &Item| -> Result<Option<SearchSource>> {
        if image.get("entity").is_none() {
            return Ok(None);
        }
        from_item(image.clone()).map(Some).map_err(Error::internal("reading an item's words"))
    };
    Ok(SearchChange::between(source(old)?.as_ref(), source(new)?.as_ref()))
}

fn phase(image: &Item) -> Option<Phase> {
    from_attribute_value(image.get("phase")?.clone()).ok()
}

fn status(image: &Item) -> Option<TenantStatus> {
    from_attribute_value(image.get("status")?.clone()).ok()
}

fn text<'i>(image: &'i Item, name: &str) -> Option<&'i str> {
    match image.get(name)? {
        AttributeValue::S(text) => Some(text),
        _ => None,
    }
}

fn number(image: &Item, name: &str) -> Option<u64> {
    match image.get(name)? {
        AttributeValue::N(number) => number.parse().ok(),
        _ => None,
    }
}
