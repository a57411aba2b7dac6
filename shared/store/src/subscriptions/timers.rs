use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use crate::{
    Store,
    table::{
        index::{Index, IndexKey, Partition},
        item::{Attributes, Item},
        key::Key,
        query::{QueryPage, query_page},
        raw_item::RawItem,
        update::Update,
    },
};
use domain::{Error, Result, Subscription, TenantId, Timer, TimerAction, TimerSubject};
use schema::Timestamp;

/// A timer as it is stored, with the tenant whose partition contains its subject.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimerItem {
    /// The action of the timer. The item's `version` is its own.
    pub action: TimerAction,
    /// The entity on which the timer acts.
    pub subject: TimerSubject,
    /// The version of the subject that set the timer.
    pub subject_version: u64,
    /// When the action is due.
    pub at: Timestamp,
    /// The tenant of the subject.
    pub tenant_id: TenantId,
    /// When the subscription ends, in its main timer, unless it renews.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_on: Option<Timestamp>,
}

impl TimerItem {
    /// Creates the item for a timer of a subscription.
    pub(crate) fn new(timer: &Timer, of: &Subscription) -> Self {
        let Timer { action, subject, version, at } = *timer;
        let is_main = matches!(
            action,
            TimerAction::TrialNotice | TimerAction::TrialEnd | TimerAction::PeriodEnd
        );
        let ends_on = of.ends_on().filter(|_| is_main);
        Self { action, subject, subject_version: version, at, tenant_id: of.tenant_id, ends_on }
    }

    /// Creates the item for a timer of a tenant.
    pub(crate) fn of_tenant(timer: &Timer, tenant_id: TenantId) -> Self {
        let Timer { action, subject, version, at } = *timer;
        Self { action, subject, subject_version: version, at, tenant_id, ends_on: None }
    }
}

impl Item for TimerItem {
    const ENTITY: &'static str = "timer";

    fn key(&self) -> Key {
        Key::timer(self.subject, self.action)
    }

    fn indexes(&self) -> Vec<IndexKey> {
        let due = Partition::of_entity(Self::ENTITY).key(self.at, self.order());
        let ends = self.ends_on.map(|end| Partition::ending_subscriptions().key(end, self.order()));
        [Some(due), ends].into_iter().flatten().collect()
    }
}

impl TimerItem {
    /// Returns the order of timers that are due at the same time.
    fn order(&self) -> String {
        let id = match self.subject {
            TimerSubject::Subscription(id) => id.to_string(),
            TimerSubject::Tenant(id) => id.to_string(),
        };
        format!("{id}#{}", self.action)
    }
}

/// An entry in the list of timers whose time has come.
#[derive(Debug)]
pub struct DueTimer {
    /// The timer, or the error from decoding it.
    pub timer: Result<TimerItem>,
    key: Key,
    /// The sort key of the entry.
    sort_key: String,
}

/// A page of due timers, oldest first.
#[derive(Debug)]
pub struct DueTimers {
    /// The entries of the page.
    pub timers: Vec<DueTimer>,
    /// Start of the next page; `None` on the last page.
    pub next: Option<NextTimers>,
}

/// The start of the next page of due timers.
#[derive(Debug)]
pub struct NextTimers(Attributes);

impl Store {
    /// Returns a page of the timers that are due at `now`. The list is eventually consistent.
    ///
    /// # Errors
    ///
    /// Any error from reading the list. A timer that cannot be decoded is reported in its entry
    /// instead.
    pub async fn due_timers(&self, now: Timestamp, next: Option<NextTimers>) -> Result<DueTimers> {
        let Partition { index, pk } = Partition::of_entity(TimerItem::ENTITY);
        // `$` is the character after `#`, so that the timers of this very moment are included.
        let end = format!("{now}$");
        let query = self
            .client
            .query()
            .table_name(&*self.table)
            .index_name(index.name())
            .key_condition_expression(format!("{} = :timers AND {} < :end", index.pk(), index.sk()))
            .expression_attribute_values(":timers", AttributeValue::S(pk))
            .expression_attribute_values(":end", AttributeValue::S(end))
            .set_exclusive_start_key(next.map(|NextTimers(key)| key));
        let QueryPage { items, next } = query_page(query, "reading due timers").await?;
        let timers = items.iter().filter_map(DueTimer::of).collect();
        Ok(DueTimers { timers, next: next.map(NextTimers) })
    }

    /// Moves a timer whose action is not possible now back in the list, so that it is tried again at
    /// `until` and does not hold up others.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the timer was set again, moved or deleted in the meantime.
    pub async fn postpone_timer(&self, due: &DueTimer, until: Timestamp) -> Result<()> {
        let (_, order) = due.sort_key.split_once('#').unwrap_or(("", &due.sort_key));
        let IndexKey { sk: later, .. } = Partition::of_entity(TimerItem::ENTITY).key(until, order);
        let sk = Index::Kind.sk();
        let moved = Update::when(format!("{sk} = :was"))
            .given("was", &due.sort_key)
            .set(sk, "later", later);
        self.update(due.key.clone(), moved, Error::Stale).await
    }

    /// Deletes a timer that its subject no longer has.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the timer was set again or deleted in the meantime.
    pub async fn delete_timer(&self, due: &DueTimer) -> Result<()> {
        let sk = Index::Kind.sk();
        let delete = self
            .client
            .delete_item()
            .table_name(&*self.table)
            .set_key(Some(due.key.clone().into()))
            .condition_expression(format!("{sk} = :was"))
            .expression_attribute_values(":was", AttributeValue::S(due.sort_key.clone()))
            .send()
            .await;
        crate::table::update::written(delete, "deleting a timer", Error::Stale)
    }
}

impl DueTimer {
    /// Decodes an entry. Returns `None` if a key attribute is missing.
    fn of(item: &RawItem) -> Option<Self> {
        let sort_key = item.key_part(Index::Kind.sk())?;
        Some(Self { key: item.key()?, sort_key, timer: item.decode() })
    }
}
