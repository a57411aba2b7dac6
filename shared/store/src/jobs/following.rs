//! The consequences of the success of a job for the tenant's subscription and placement.

use serde::Deserialize;

use crate::{
    JobCompletion, Store,
    subscriptions::timers::TimerItem,
    table::{
        item::{Item, Stored},
        key::Key,
        update::Update,
    },
};
use domain::{
    Context, Decision, Isolation, JobKind, MoveEnds, Outcome, Phase, Result, Standing,
    StandingChange, Subscription, Tenant, TenantId, Text, Timer,
};
use schema::Timestamp;

/// The consequences of the success of a job.
pub(super) struct Following {
    /// The subscription that changes, with the change.
    pub(super) subscription: Option<(Stored<Subscription>, Decision)>,
    /// The move of the tenant.
    pub(super) moved: Option<Moved>,
}

impl Following {
    /// Returns whether the suspension of the tenant ends, because its customer returns.
    pub(super) fn reactivates(&self) -> bool {
        let decision = self.subscription.as_ref().map(|(_, decision)| decision);
        decision.is_some_and(|decision| decision.tenant == Some(StandingChange::Reactivate))
    }

    /// Returns the timer that would have deprovisioned the tenant whose suspension ends.
    pub(super) fn obsolete_timer(&self) -> Option<Timer> {
        let moved = self.moved.as_ref().filter(|_| self.reactivates())?;
        moved.tenant.item.deprovisioning_timer(moved.tenant.version)
    }
}

/// A tenant that a job has moved.
pub(super) struct Moved {
    tenant: Stored<Tenant>,
    moves: MoveEnds,
}

impl Moved {
    /// Adds the new tier and isolation to the change of the tenant, and the resources that it leaves
    /// behind.
    pub(super) fn place(&self, changed: Update, now: Timestamp) -> Update {
        let MoveEnds { to, .. } = &self.moves;
        let placed =
            changed.set("tier", "tier", &to.tier).set("#isolation", "isolation", to.isolation);
        match self.moves.leaves(now) {
            Some(previous) => placed.set("previous", "previous", previous),
            None => placed,
        }
    }

    /// Returns the timer that retires the resources that the tenant leaves behind.
    pub(super) fn timer(&self, now: Timestamp) -> Option<TimerItem> {
        let Stored { item, version } = &self.tenant;
        let previous = Some(self.moves.leaves(now)?);
        let timer = Tenant { previous, ..item.clone() }.retirement_timer(version + 1)?;
        Some(TimerItem::of_tenant(&timer, item.id))
    }
}

/// The resources that a job builds, as far as a subscription depends on them.
#[derive(Debug, Deserialize)]
struct BuiltTenant {
    tier: Text<1, 100>,
    isolation: Isolation,
    #[serde(default)]
    moves: Option<MoveEnds>,
}

impl BuiltTenant {
    /// Returns the change of the tenant's subscription by the success of a job of this kind.
    fn decision(
        &self,
        kind: JobKind,
        subscription: Subscription,
        at: Context<'_>,
    ) -> Result<Option<Decision>> {
        Ok(match kind {
            JobKind::Deprovision => subscription.close(at),
            JobKind::Provision => {
                let plan = &subscription.plan;
                let is_placed = plan.is_placed(self.tier.as_str(), self.isolation);
                let waits = subscription.phase == Phase::Pending && is_placed;
                waits.then(|| subscription.activate(at)).transpose()?
            }
            JobKind::Change => match self.moves.as_ref().and_then(|moves| moves.change.clone()) {
                Some(change) => subscription.moved(change, at)?,
                None => None,
            },
            JobKind::Retire => None,
        })
    }
}

impl Store {
    /// Returns the consequences of the success of a job. A build for its plan activates a pending
    /// subscription, a move changes the plan, and a deprovisioning cancels the subscription.
    pub(super) async fn following(
        &self,
        tenant: TenantId,
        completion: &JobCompletion<'_>,
    ) -> Result<Option<Following>> {
        let JobCompletion { job, result, now, by } = *completion;
        let succeeds = result.outcome == Outcome::Succeeded && !job.continues_after(result.outcome);
        let Some(id) = job.subscription_id.filter(|_| succeeds) else { return Ok(None) };
        let mut keys = vec![Key::subscription(tenant, id), Key::job_of(tenant, job)];
        match job.kind {
            JobKind::Provision | JobKind::Deprovision => {}
            JobKind::Change => keys.push(Key::tenant(tenant)),
            JobKind::Retire => return Ok(None),
        }
        let (mut found, mut built) = (None::<Stored<Subscription>>, None);
        let mut moved = None::<Stored<Tenant>>;
        for item in self.get_all(&keys).await? {
            match item.entity() {
                Some(Subscription::ENTITY) => found = item.decode_active()?,
                Some(Tenant::ENTITY) => moved = item.decode_active()?,
                _ => built = Some(item.decode::<BuiltTenant>()?),
            }
        }
        let Some(built) = built else { return Ok(None) };
        let status = job.status_after_closing(result.outcome)?;
        let suspension = moved.as_ref().and_then(|moved| moved.item.standing().suspension);
        let standing = Standing { status, suspension, has_open_job: false };
        let at = Context { tenant: standing, now, by };
        let decision = match &found {
            Some(found) => built.decision(job.kind, found.item.clone(), at)?,
            None => None,
        };
        let moved = moved.zip(built.moves).map(|(tenant, moves)| Moved { tenant, moves });
        Ok(Some(Following { subscription: found.zip(decision), moved }))
    }

    /// Returns whether the subscription that follows has changed since it was read.
    pub(super) async fn has_changed(&self, following: &Following) -> Result<bool> {
        let Some((read, _)) = &following.subscription else { return Ok(false) };
        let latest = self.get_active::<Subscription>(read.item.key()).await?;
        Ok(latest.is_none_or(|latest| latest.version != read.version))
    }
}
