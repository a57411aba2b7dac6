use domain::{Context, Decision, Error, Job, Result};
use store::{Stored, Subscribed};

use crate::clock::Clock;

impl Clock<'_> {
    /// Opens the job that moves the tenant of a subscription, as decided.
    pub(crate) async fn open_move(
        &self,
        found: &Subscribed,
        mut decision: Decision,
        at: Context<'_>,
    ) -> Result<()> {
        let Some(change) = decision.opens.take() else { return Ok(()) };
        let Stored { item: tenant, version } = &found.tenant;
        let from = self.store.tenant_to_build(tenant.id).await?;
        if from.tenant.version != *version {
            return Err(Error::Stale);
        }
        let subscription = &decision.subscription;
        let job = Job::open_move(tenant, from.contacts, subscription, change, self.moves, at)?;
        self.store.open_move_on_time(found, &decision, &job).await
    }
}
