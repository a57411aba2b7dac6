use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Deserialize;

use crate::{
    Store,
    table::{
        index::{Index, IndexKey, Partition},
        item::Attributes,
        key::Key,
        query::{QueryPage, query_page},
        raw_item::RawItem,
        update::Update,
    },
};
use domain::{Error, JobId, JobKind, JobPhase, JobRef, JobState, Result, TenantId, TenantStatus};
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
        let query = self
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
        let QueryPage { items, next } = query_page(query, "reading overdue jobs").await?;
        let jobs = items.iter().filter_map(Overdue::of).collect();
        Ok(OverdueJobs { jobs, next: next.map(Next) })
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
    fn of(item: &RawItem) -> Option<Self> {
        let sort_key = item.key_part(Index::Kind.sk())?;
        Some(Self { key: item.key()?, sort_key, job: item.decode() })
    }
}
