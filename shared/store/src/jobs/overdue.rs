use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Deserialize;

use crate::{
    Store,
    table::{
        index::{Index, IndexKey, Partition},
        item::{Attributes, decode},
        key::Key,
        update::Update,
    },
};
use domain::{Error, JobId, JobKind, JobPhase, JobRef, JobState, Result, TenantId, TenantStatus};
use lambda::fault::Service;
use schema::Timestamp;

/// An open job past its deadline, with only the fields that are needed to close it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OverdueJob {
    id: JobId,
    attempt: u32,
    kind: JobKind,
    #[serde(default)]
    opened_from: Option<TenantStatus>,
    state: JobState,
    /// The tenant of the job.
    pub tenant_id: TenantId,
    /// The deadline that has passed.
    pub deadline: Timestamp,
}

impl OverdueJob {
    /// Returns what the job was doing at its deadline.
    #[must_use]
    pub fn phase(&self) -> JobPhase {
        self.state.phase()
    }

    /// Returns the reference to this job in the tenant's item.
    #[must_use]
    pub fn reference(&self) -> JobRef {
        let Self { id, attempt, kind, opened_from, .. } = *self;
        let (identity_provider, phase) = (None, self.phase());
        JobRef {
            id,
            attempt,
            kind,
            opened_from,
            identity_provider,
            phase,
            // Only a success changes the subscription.
            subscription_id: None,
            outcome: None,
        }
    }
}

/// An entry in the list of open jobs that is past its deadline.
#[derive(Debug)]
pub struct Overdue {
    /// The job, or the error from decoding it.
    pub job: Result<OverdueJob>,
    key: Key,
    /// The sort key of the entry.
    sort_key: String,
}

/// A page of open jobs past their deadline, oldest first.
#[derive(Debug)]
pub struct OverdueJobs {
    /// The entries of the page.
    pub jobs: Vec<Overdue>,
    /// Start of the next page; `None` on the last page.
    pub next: Option<Next>,
}

/// The start of the next page of overdue jobs.
#[derive(Debug)]
pub struct Next(Attributes);

/// Minimum and maximum wait before an overdue job that could not be closed is retried.
const WAIT: (Duration, Duration) = (Duration::from_secs(50), Duration::from_secs(3600));

impl Store {
    /// Returns a page of the open jobs with a deadline before `now`.
    ///
    /// # Errors
    ///
    /// Any error from reading the list. A job that cannot be decoded is reported in its entry
    /// instead.
    pub async fn overdue_jobs(&self, now: Timestamp, next: Option<Next>) -> Result<OverdueJobs> {
        let Partition { index, pk: open } = Partition::open_jobs();
        let (pk, sk) = (index.pk(), index.sk());
        let request = self
            .client
            .query()
            .table_name(&*self.table)
            .index_name(index.name())
            .key_condition_expression(format!("{pk} = :open AND {sk} < :now"))
            .projection_expression(format!(
                "pk, sk, {sk}, id, attempt, kind, openedFrom, #state, tenantId, deadline"
            ))
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":open", AttributeValue::S(open))
            .expression_attribute_values(":now", AttributeValue::S(now.to_string()))
            .set_exclusive_start_key(next.map(|Next(key)| key));
        let page = request.send().await;
        let page = page.map_err(Service::DynamoDb.error("reading overdue jobs"))?;
        let jobs = page.items.unwrap_or_default().into_iter().filter_map(Overdue::of).collect();
        Ok(OverdueJobs { jobs, next: page.last_evaluated_key.map(Next) })
    }

    /// Moves a job that could not be closed further back in the list, so that it does not block
    /// others. The delay is the time that the job is overdue, at most one hour.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the job was closed or moved in the meantime.
    pub async fn postpone(&self, overdue: &Overdue, now: Timestamp) -> Result<()> {
        let late = overdue.job.as_ref().map_or(WAIT.1, |job| now.since(job.deadline));
        let (order, id) = overdue.sort_key.split_once('#').unwrap_or((&overdue.sort_key, ""));
        let IndexKey { partition: Partition { index, pk: open }, sk: later } =
            Partition::open_jobs().key(now + late.clamp(WAIT.0, WAIT.1), id);
        tracing::warn!(from = order, to = later, "an overdue job was postponed");
        let moved = Update::when(format!("{} = :was AND {} = :open", index.sk(), index.pk()))
            .given("was", &overdue.sort_key)
            .given("open", open)
            .set(index.sk(), "later", later);
        self.update(overdue.key.clone(), moved, Error::Stale).await
    }
}

impl Overdue {
    /// Decodes an entry. Returns `None` if a key attribute is missing.
    fn of(item: Attributes) -> Option<Self> {
        let sort_key = item.get(Index::Kind.sk())?.as_s().ok()?.clone();
        Some(Self { key: Key::of_item(&item)?, sort_key, job: decode(item) })
    }
}
