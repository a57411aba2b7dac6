use serde::Deserialize;

use crate::{
    Store,
    jobs::following::Following,
    table::{
        index::{Index, Partition},
        key::Key,
        retry::{MAX_ATTEMPTS, wait},
        update::Update,
    },
};
use domain::{
    Contact, Error, IDENTITY_TIME_LIMIT, JobKind, JobPhase, JobRef, JobResult, JobState, Outcome,
    ResourceChange, Result, Step, SubscriptionText, TenantId, TenantStatus, UserId,
};
use schema::Timestamp;

/// The closing of a job.
#[derive(Clone, Debug)]
pub struct JobCompletion<'a> {
    /// The job to close.
    pub job: &'a JobRef,
    /// The reported outcome.
    pub result: &'a JobResult,
    /// The time of the closing.
    pub now: Timestamp,
    /// The user or system that reports the outcome.
    pub by: &'a UserId,
}

impl Store {
    /// Closes an open job, moves its tenant to the matching status and writes the job's resources,
    /// in one transaction. Many resources are written before, invisible until the job closes.
    ///
    /// A job that sets up an identity after its build stays open when the build has succeeded: its
    /// resources are written, and it goes on with a new deadline.
    ///
    /// If the item would become too large, the job is closed without the tenant's contacts and
    /// domains, and only the ID and tier of its subscription are kept.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the job is not the tenant's latest or is already closed.
    #[tracing::instrument(skip_all, fields(tenant.id = %tenant, job.id = %completion.job.id))]
    pub async fn close_job(&self, tenant: TenantId, completion: &JobCompletion<'_>) -> Result<()> {
        let batch = Box::pin(self.stage_resources(tenant, completion)).await?;
        let batch = batch.as_deref();
        for attempt in 0..MAX_ATTEMPTS {
            let following = Box::pin(self.following(tenant, completion)).await?;
            let with = (batch, following.as_ref());
            let closed = match Box::pin(self.close_with(
                tenant,
                completion,
                with,
                closed(completion),
            ))
            .await
            {
                Err(error) if error.is_permanent() => {
                    tracing::error!(error = %error.with_causes(), "closing a job without its details");
                    let job = self.get::<JobDetails>(Key::job_of(tenant, completion.job)).await?;
                    let brief = job.ok_or(Error::Stale)?.shorten(closed(completion));
                    Box::pin(self.close_with(tenant, completion, with, brief)).await
                }
                closed => closed,
            };
            match (closed, &following) {
                // The subscription has changed, not the job: decide again.
                (Err(Error::Stale), Some(following)) if self.has_changed(following).await? => {
                    wait(attempt).await;
                }
                (closed, _) => return closed,
            }
        }
        Err(Error::Busy("a subscription kept changing"))
    }

    /// Closes a job with these changes to its item. Its resources are those of the batch, or are
    /// written with it.
    async fn close_with(
        &self,
        tenant: TenantId,
        completion: &JobCompletion<'_>,
        (batch, following): (Option<&str>, Option<&Following>),
        closed: Update,
    ) -> Result<()> {
        let JobCompletion { job, result, now, by } = *completion;
        let moved = following.and_then(|following| following.moved.as_ref());
        let reactivates = following.is_some_and(Following::reactivates);
        let mut changed = after_closing(completion, batch, reactivates)?;
        if let Some(moved) = moved {
            changed = moved.place(changed, now);
        }
        let mut writes = self
            .transaction()
            .update(Key::tenant(tenant), changed, Error::Stale)?
            .update(Key::job_of(tenant, job), closed, Error::Stale)?;
        let unwritten = if batch.is_none() { job.kept(result) } else { &[] };
        for resource in unwritten {
            writes = writes.insert(&resource.to_resource(tenant, job.attempt, now, by))?;
        }
        if let Some((before, decision)) =
            following.and_then(|following| following.subscription.as_ref())
        {
            writes = writes.decided(Some(before), decision, None)?;
        }
        if let Some(timer) = moved.and_then(|moved| moved.timer(now)) {
            writes = writes.put_any(&timer)?;
        }
        if let Some(timer) = following.and_then(Following::obsolete_timer) {
            writes = writes.delete_any(Key::timer(timer.subject, timer.action))?;
        }
        self.invalidating(tenant, writes.commit()).await
    }
}

/// Returns the change of the tenant whose job closes, or goes on after its build. Closing it `reactivates`
/// the tenant of a customer who returns.
fn after_closing(
    completion: &JobCompletion<'_>,
    batch: Option<&str>,
    reactivates: bool,
) -> Result<Update> {
    let JobCompletion { job, result, now, by } = *completion;
    let mut changed = while_latest(job).set("modifiedOn", "now", now).set("modifiedBy", "by", by);
    changed = if job.continues_after(result.outcome) {
        changed.set("latestJob.phase", "next", JobPhase::Identity)
    } else {
        let status = if reactivates {
            TenantStatus::Active
        } else {
            job.status_after_closing(result.outcome)?
        };
        changed
            .set("latestJob.outcome", "outcome", result.outcome)
            .set("#status", "status", status)
            .set_partition(Partition::tenants_of_status(status.number()))
    };
    if reactivates {
        changed = changed.remove("suspension");
    }
    if (job.kind, result.outcome) == (JobKind::Retire, Outcome::Succeeded) {
        changed = changed.remove("previous");
    }
    let change = job.resource_change(result);
    changed = match change {
        ResourceChange::Created => changed.set("builtBy", "attempt", job.attempt),
        ResourceChange::Removed => {
            let removed = changed.set("removedBy", "attempt", job.attempt);
            removed.remove("builtBy").remove("batches").remove("suspension")
        }
        ResourceChange::Replaced => {
            let earlier = job.attempt.saturating_sub(1);
            changed.set("builtBy", "attempt", job.attempt).set("removedBy", "earlier", earlier)
        }
        ResourceChange::Unchanged => changed,
    };
    Ok(match (batch, change) {
        (Some(batch), ResourceChange::Replaced) => changed.set("batches", "batches", [batch]),
        (Some(batch), _) => changed.append_or_start("batches", "batch", batch),
        (None, ResourceChange::Replaced) => changed.remove("batches"),
        (None, _) => changed,
    })
}

/// Starts an update of a tenant whose latest job is this open one, in the same phase.
pub(crate) fn while_latest(job: &JobRef) -> Update {
    let open = "latestJob.id = :job AND attribute_not_exists(latestJob.outcome)";
    let update = match job.phase {
        JobPhase::Build => {
            Update::when(format!("{open} AND attribute_not_exists(latestJob.phase)"))
        }
        JobPhase::Identity => {
            Update::when(format!("{open} AND latestJob.phase = :phase")).given("phase", job.phase)
        }
    };
    update.given("job", job.id)
}

/// Starts an update of an open job's item that is in the same phase.
fn while_open(job: &JobRef) -> Update {
    match job.phase {
        JobPhase::Build => Update::when("#state IN (:queued, :running)")
            .given("queued", JobState::Queued)
            .given("running", JobState::Running),
        JobPhase::Identity => {
            Update::when("#state = :identity").given("identity", JobState::SettingUpIdentity)
        }
    }
}

/// Returns the changes that close a job's item, or that let it go on after its build.
fn closed(completion: &JobCompletion<'_>) -> Update {
    let JobCompletion { job, result, now, by } = *completion;
    let continues = job.continues_after(result.outcome);
    let state = if continues { JobState::SettingUpIdentity } else { result.outcome.state() };
    let mut closed = while_open(job)
        .set("#state", "closed", state)
        .append("steps", "step", Step { name: state, time: now })
        .set("modifiedOn", "now", now)
        .set("modifiedBy", "by", by);
    let ended = JobRef { outcome: Some(result.outcome), ..job.clone() };
    closed = if continues {
        let deadline = now + IDENTITY_TIME_LIMIT;
        closed
            .set("deadline", "deadline", deadline)
            .set_index(Partition::open_jobs().key(deadline, job.id))
    } else if ended.failed_to_deprovision() {
        closed.set_index(Partition::failed_deprovisionings().key(now, job.id))
    } else {
        closed.remove_index(Index::Kind)
    };
    if let Some(reason) = &result.reason {
        closed = closed.set("reason", "reason", reason);
    }
    if let Some(url) = &result.app_plane_url {
        closed = closed.set("appPlaneUrl", "url", url);
    }
    closed
}

/// The parts of a job's item that can be shortened.
#[derive(Debug, Deserialize)]
struct JobDetails {
    subscription: SubscriptionText,
}

impl JobDetails {
    /// Adds the shortening of the item to `closed`.
    fn shorten(&self, closed: Update) -> Update {
        let none = Vec::<Contact>::new();
        closed
            .set("subscription", "subscription", self.subscription.brief())
            .set("tenant.contacts", "none", &none)
            .set("tenant.domains", "none", &none)
    }
}
