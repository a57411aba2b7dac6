use std::collections::BTreeMap;

use aws_lambda_events::dynamodb::EventRecord;
use serde_dynamo::{AttributeValue, Item, from_item};
use shared::{
    Error, Result,
    domain::{Lead, Resend, Tenant, TenantId, Timestamp, Waits},
    store::{Item as _, ONBOARDED, TOTAL, Tally, days_of_month, of_day, of_status},
};

/// A change of an item: what it was counted as, and what it counts as now.
#[derive(Clone, Debug)]
pub struct Change {
    id: String,
    kind: String,
    before: BTreeMap<String, i64>,
    after: BTreeMap<String, i64>,
    day: Option<(Timestamp, String)>,
    resend: Option<Asked>,
}

/// A request for another verification mail, and the ID of the API's request that it came by.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The request.
    pub resend: Resend,
    /// The ID.
    pub request: String,
}

impl Change {
    /// The change that a stream record tells of.
    ///
    /// # Errors
    ///
    /// Where the item does not say what it is, or in which version.
    pub fn of(record: &EventRecord) -> Result<Self> {
        let (new, old) = (&record.change.new_image, &record.change.old_image);
        // An item that was deleted for good, as those that expire are, says in its last form what it was.
        let removed = record.event_name == "REMOVE";
        let last = if removed { old } else { new };
        let unread = |what| Error::aws("reading a stream record")(format!("no {what} in it"));
        let kind = text(last, "entity").ok_or_else(|| unread("entity"))?.to_owned();
        let id = text(last, "id").ok_or_else(|| unread("id"))?;
        let version = number(last, "version").ok_or_else(|| unread("version"))?;
        let (before, after) = (numbers(&kind, old), numbers(&kind, new));
        let day = if kind == Tenant::KIND { day(new, old) } else { None };
        let resend = (kind == Resend::KIND).then(|| Asked::of(new)).transpose()?;
        let end = if removed { "#removed" } else { "" };
        Ok(Self { id: format!("{kind}#{id}#{version}{end}"), kind, before, after, day, resend })
    }

    /// What it does to the counts of its kind; `None` where that is nothing.
    #[must_use]
    pub fn tally(&self) -> Option<Tally> {
        let mut numbers = self.after.clone();
        for (name, number) in &self.before {
            *numbers.entry(name.clone()).or_default() -= number;
        }
        numbers.retain(|_, number| *number != 0);
        let (change, kind) = (self.id.clone(), self.kind.clone());
        (!numbers.is_empty()).then_some(Tally { change, kind, numbers })
    }

    /// What it adds to the numbers of days: a tenant that came, or became active for the first time.
    #[must_use]
    pub fn day(&self) -> Option<Tally> {
        let (moment, number) = self.day.as_ref()?;
        let (change, kind) = (format!("{}#day", self.id), days_of_month(*moment));
        Some(Tally { change, kind, numbers: [(of_day(*moment, number), 1)].into() })
    }

    /// Returns the request for another verification mail, if the change is one.
    #[must_use]
    pub fn asked(&self) -> Option<&Asked> {
        self.resend.as_ref()
    }

    /// Whether it leads to a write.
    pub(crate) fn asks(&self) -> bool {
        self.tally().is_some()
            || self.day.is_some()
            || self.deleted_tenant().is_some()
            || self.resend.is_some()
    }

    /// The tenant that was deleted, if that is what happened.
    #[must_use]
    pub fn deleted_tenant(&self) -> Option<TenantId> {
        self.changed_tenant().filter(|_| self.after.is_empty())
    }

    /// The tenant that was there before and changed, if it was one.
    #[must_use]
    pub fn changed_tenant(&self) -> Option<TenantId> {
        let changed = self.kind == Tenant::KIND && !self.before.is_empty();
        self.id.split('#').nth(1).filter(|_| changed)?.parse().ok()
    }
}

impl Asked {
    fn of(image: &Item) -> Result<Self> {
        let request = text(image, "requestId").unwrap_or_default().to_owned();
        let resend = from_item(image.clone()).map_err(Error::aws("reading a request"))?;
        Ok(Self { resend, request })
    }
}

/// What an item counts as: one of its kind, of its status and so on; nothing where it is deleted or
/// was not there.
fn numbers(kind: &str, image: &Item) -> BTreeMap<String, i64> {
    let flag = |name| matches!(image.get(name), Some(AttributeValue::Bool(true)));
    if image.get("entity").is_none() || kind == Resend::KIND || flag("deleted") {
        return BTreeMap::new();
    }
    let mut counted = vec![TOTAL.to_owned()];
    match kind {
        Tenant::KIND => counted.extend(number(image, "status").map(of_status)),
        Lead::KIND if flag("isValidated") => counted.push("validated".to_owned()),
        _ => {}
    }
    counted.into_iter().map(|name| (name, 1)).collect()
}

/// When something of a tenant happened that days are counted by, and under which number.
fn day(new: &Item, old: &Item) -> Option<(Timestamp, String)> {
    let moment = |name| text(new, name)?.parse::<Timestamp>().ok();
    if old.get("entity").is_none() {
        return Some((moment("createdOn")?, ONBOARDED.to_owned()));
    }
    let active = |image| number(image, "status") == Some("0");
    let built = number(old, "status") == Some("2") && active(new);
    let then = moment("modifiedOn").filter(|_| built)?;
    Some((then, Waits::class(then.since(moment("createdOn")?))))
}

fn text<'i>(image: &'i Item, name: &str) -> Option<&'i str> {
    match image.get(name)? {
        AttributeValue::S(text) => Some(text),
        _ => None,
    }
}

fn number<'i>(image: &'i Item, name: &str) -> Option<&'i str> {
    match image.get(name)? {
        AttributeValue::N(number) => Some(number),
        _ => None,
    }
}
