use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Deserialize;

use super::{
    IndexKey, Key, Store,
    changes::Changes,
    item::{Attributes, decode},
};
use crate::{
    Error, Result,
    domain::{JobId, JobKind, JobRef, TenantId, TenantStatus, Timestamp},
    fault::Service,
};

/// An open job whose deadline has passed: what is needed to close it, and nothing that may be broken.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OverdueJob {
    id: JobId,
    attempt: u32,
    kind: JobKind,
    #[serde(default)]
    opened_from: Option<TenantStatus>,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// When it should have ended.
    pub deadline: Timestamp,
}

impl OverdueJob {
    /// How its tenant's item names it.
    #[must_use]
    pub fn reference(&self) -> JobRef {
        let Self { id, attempt, kind, opened_from, .. } = *self;
        JobRef { id, attempt, kind, opened_from, outcome: None }
    }
}

/// A place in the list of open jobs whose time has come.
#[derive(Debug)]
pub struct Overdue {
    /// The job, or why it cannot be read.
    pub job: Result<OverdueJob>,
    key: Key,
    /// Its sort key in the list.
    place: String,
}

/// Some of the open jobs whose deadline has passed, the oldest first.
#[derive(Debug)]
pub struct OverdueJobs {
    /// The jobs.
    pub jobs: Vec<Overdue>,
    /// Where the next ones are; `None` after the last.
    pub next: Option<Next>,
}

/// Where a list goes on.
#[derive(Debug)]
pub struct Next(Attributes);

/// How soon a job that could not be closed is tried again, at least and at most.
const WAIT: (Duration, Duration) = (Duration::from_secs(50), Duration::from_secs(3600));

impl Store {
    /// Open jobs whose deadline is before `now`, from `next` on: a page of the list.
    ///
    /// # Errors
    ///
    /// If the list cannot be read. A job that cannot be read is told in its place.
    pub async fn overdue_jobs(&self, now: Timestamp, next: Option<Next>) -> Result<OverdueJobs> {
        let open = IndexKey::list_of(IndexKey::OPEN_JOB);
        let request = self
            .client
            .query()
            .table_name(&*self.table)
            .index_name("gsi1")
            .key_condition_expression("gsi1pk = :open AND gsi1sk < :now")
            .projection_expression(
                "pk, sk, gsi1sk, id, attempt, kind, openedFrom, tenantId, deadline",
            )
            .expression_attribute_values(":open", AttributeValue::S(open))
            .expression_attribute_values(":now", AttributeValue::S(now.to_string()))
            .set_exclusive_start_key(next.map(|Next(key)| key));
        let page = request.send().await;
        let page = page.map_err(Error::of(Service::DynamoDb, "reading overdue jobs"))?;
        let jobs = page.items.unwrap_or_default().into_iter().filter_map(Overdue::of).collect();
        Ok(OverdueJobs { jobs, next: page.last_evaluated_key.map(Next) })
    }

    /// Moves a job that could not be closed to a later place in the list, so that it does not stand before
    /// others: by as long as it is overdue, and an hour at most.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if it is closed, or was moved in the meantime.
    pub async fn put_off(&self, overdue: &Overdue, now: Timestamp) -> Result<()> {
        let late = overdue.job.as_ref().map_or(WAIT.1, |job| now.since(job.deadline));
        let (order, id) = overdue.place.split_once('#').unwrap_or((&overdue.place, ""));
        let later = IndexKey::listed(IndexKey::OPEN_JOB, now + late.clamp(WAIT.0, WAIT.1), id);
        tracing::warn!(from = order, to = later.sk, "an overdue job is put off");
        let moved = Changes::when("gsi1sk = :was AND gsi1pk = :open")
            .given("was", &overdue.place)
            .given("open", later.pk)
            .set("gsi1sk", "later", later.sk);
        self.change(overdue.key.clone(), moved, Error::Stale).await
    }
}

impl Overdue {
    /// `None` of an item without keys, which is in no index.
    fn of(item: Attributes) -> Option<Self> {
        let place = item.get("gsi1sk")?.as_s().ok()?.clone();
        Some(Self { key: Key::of_item(&item)?, place, job: decode(item) })
    }
}
