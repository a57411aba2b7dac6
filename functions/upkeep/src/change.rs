use std::collections::BTreeMap;

use aws_lambda_events::dynamodb::EventRecord;
use serde_dynamo::{AttributeValue, Item};
use shared::{
    Error, Result,
    domain::{Lead, Tenant, TenantId},
    store::{Item as _, TOTAL, Tally, of_status},
};

/// A change of an item: what it was counted as, and what it counts as now.
#[derive(Clone, Debug)]
pub struct Change {
    id: String,
    kind: String,
    before: BTreeMap<String, i64>,
    after: BTreeMap<String, i64>,
}

impl Change {
    /// The change that a stream record tells of.
    ///
    /// # Errors
    ///
    /// Where the item does not say what it is, or in which version.
    pub fn of(record: &EventRecord) -> Result<Self> {
        let (new, old) = (&record.change.new_image, &record.change.old_image);
        let unread = |what| Error::aws("reading a stream record")(format!("no {what} in it"));
        let kind = text(new, "entity").ok_or_else(|| unread("entity"))?.to_owned();
        let id = text(new, "id").ok_or_else(|| unread("id"))?;
        let version = number(new, "version").ok_or_else(|| unread("version"))?;
        let (before, after) = (numbers(&kind, old), numbers(&kind, new));
        Ok(Self { id: format!("{kind}#{id}#{version}"), kind, before, after })
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

/// What an item counts as: one of its kind, of its status and so on; nothing where it is deleted or
/// was not there.
fn numbers(kind: &str, image: &Item) -> BTreeMap<String, i64> {
    let flag = |name| matches!(image.get(name), Some(AttributeValue::Bool(true)));
    if image.get("entity").is_none() || flag("deleted") {
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
