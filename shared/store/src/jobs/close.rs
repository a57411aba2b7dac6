use serde::Deserialize;

use crate::{
    Store,
    table::{
        index::{Index, Partition},
        item::{Item, Stored, decode, decode_active, entity_of},
        key::Key,
        retry::{MAX_ATTEMPTS, wait},
        update::Update,
    },
};
use domain::{
    Contact, Context, Decision, Error, IDENTITY_TIME_LIMIT, Isolation, JobKind, JobPhase, JobRef,
    JobResult, JobState, Outcome, Phase, ResourceChange, Result, Standing, Step, Subscription,
    SubscriptionText, TenantId, Text, UserId,
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
                (Err(Error::Stale), Some(following)) if self.has_changed(&following.0).await? => {
                    wait(attempt).await;
                }
                (closed, _) => return closed,
            }
        }
        Err(Error::Busy("a subscription kept changing"))
    }

    /// Returns the subscription that the closing of a job changes, and the change. A build for its
    /// plan activates a pending subscription; a deprovisioning cancels it.
    async fn following(
        &self,
        tenant: TenantId,
        completion: &JobCompletion<'_>,
    ) -> Result<Option<(Stored<Subscription>, Decision)>> {
        let JobCompletion { job, result, now, by } = *completion;
        let succeeds = result.outcome == Outcome::Succeeded && !job.continues_after(result.outcome);
        let Some(id) = job.subscription_id.filter(|_| succeeds) else { return Ok(None) };
        let keys = [Key::subscription(tenant, id), Key::job_of(tenant, job)];
        let (mut found, mut built) = (None::<Stored<Subscription>>, None);
        for item in self.get_all(&keys).await? {
            match entity_of(&item) {
                Some(Subscription::ENTITY) => found = decode_active(item)?,
                _ => built = Some(decode::<BuiltTenant>(item)?),
            }
        }
        let Some((found, built)) = found.zip(built) else { return Ok(None) };
        let status = job.kind.status_while_open().after(job.closing(result.outcome))?;
        let standing = Standing { status, suspension: None, has_open_job: false };
        let at = Context { tenant: standing, now, by };
        let subscription = found.item.clone();
        let decision = match job.kind {
            JobKind::Deprovision => subscription.close(at),
            JobKind::Provision => {
                let plan = &subscription.plan;
                let is_placed = plan.is_placed(built.tier.as_str(), built.isolation);
                let waits = subscription.phase == Phase::Pending && is_placed;
                waits.then(|| subscription.activate(at)).transpose()?
            }
        };
        Ok(decision.map(|decision| (found, decision)))
    }

    async fn has_changed(&self, read: &Stored<Subscription>) -> Result<bool> {
        let latest = self.get_active::<Subscription>(read.item.key()).await?;
        Ok(latest.is_none_or(|latest| latest.version != read.version))
    }

    /// Closes a job with these changes to its item. Its resources are those of the batch, or are
    /// written with it.
    async fn close_with(
        &self,
        tenant: TenantId,
        completion: &JobCompletion<'_>,
        (batch, following): (Option<&str>, Option<&(Stored<Subscription>, Decision)>),
        closed: Update,
    ) -> Result<()> {
        let JobCompletion { job, result, now, by } = *completion;
        let mut moved = while_latest(job).set("modifiedOn", "now", now).set("modifiedBy", "by", by);
        moved = if job.continues_after(result.outcome) {
            moved.set("latestJob.phase", "next", JobPhase::Identity)
        } else {
            let status = job.kind.status_while_open().after(job.closing(result.outcome))?;
            moved
                .set("latestJob.outcome", "outcome", result.outcome)
                .set("#status", "status", status)
                .set_partition(Partition::tenants_of_status(status.number()))
        };
        moved = match job.resource_change(result) {
            ResourceChange::Created => moved.set("builtBy", "attempt", job.attempt),
            ResourceChange::Removed => {
                let removed = moved.set("removedBy", "attempt", job.attempt);
                removed.remove("builtBy").remove("batches").remove("suspension")
            }
            ResourceChange::Unchanged => moved,
        };
        if let Some(batch) = batch {
            moved = moved.append_or_start("batches", "batch", batch);
        }
        let mut writes = self
            .transaction()
            .update(Key::tenant(tenant), moved, Error::Stale)?
            .update(Key::job_of(tenant, job), closed, Error::Stale)?;
        let unwritten = if batch.is_none() { result.resources.as_slice() } else { &[] };
        for resource in unwritten {
            writes = writes.insert(&resource.to_resource(tenant, job.attempt, now, by))?;
        }
        if let Some((before, decision)) = following {
            writes = writes.decided(Some(before), decision, None)?;
        }
        self.invalidating(tenant, writes.commit()).await
    }
}

/// The resources that a job builds, as far as a subscription depends on them.
#[derive(Debug, Deserialize)]
struct BuiltTenant {
    tier: Text<1, 100>,
    isolation: Isolation,
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
