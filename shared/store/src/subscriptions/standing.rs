use crate::{
    Store,
    subscriptions::{
        read::{CURRENT_ENTITY, CurrentSubscription},
        write::changes,
    },
    table::{item::Stored, key::Key},
};
use domain::{Decision, Error, Result, Subscription, SubscriptionId, Tenant, TenantId};

impl Store {
    /// Returns a tenant and its subscription that has not ended. A tenant without one takes one read, any
    /// other a second one.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such tenant or it was deleted.
    #[tracing::instrument(skip_all, fields(tenant.id = %id))]
    pub async fn tenant_and_subscription(
        &self,
        id: TenantId,
    ) -> Result<(Stored<Tenant>, Option<Stored<Subscription>>)> {
        let (mut tenant, mut holder) = (None, None::<SubscriptionId>);
        for item in self.get_all(&[Key::tenant(id), Key::current_subscription(id)]).await? {
            match item.entity() {
                Some(CURRENT_ENTITY) => holder = Some(item.decode::<CurrentSubscription>()?.holder),
                _ => tenant = item.decode_active()?,
            }
        }
        let tenant = tenant.ok_or_else(|| Error::not_found(id))?;
        let current = match holder {
            Some(holder) => self.get_active(Key::subscription(id, holder)).await?,
            None => None,
        };
        Ok((tenant, current))
    }

    /// Replaces a tenant whose suspension an operator ends, with the decision about its subscription. Each
    /// decision is conditional on the tenant, so the subscription needs no condition if nothing follows
    /// for it. `request` is the ID of the API request.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the tenant or its subscription has changed since they were read.
    #[tracing::instrument(skip_all, fields(tenant.id = %after.id))]
    pub async fn reactivate(
        &self,
        before: &Stored<Tenant>,
        after: &Tenant,
        follows: Option<(&Stored<Subscription>, &Decision)>,
        request: &str,
    ) -> Result<()> {
        let follows = follows.filter(|(current, decision)| changes(&current.item, decision));
        let Some((current, decision)) = follows else {
            return self.replace_tenant(before, after).await;
        };
        let writes = self.transaction().replace_tenant(before, after)?;
        let writes = writes.decided(Some(current), decision, Some(request))?;
        self.invalidating(after.id, writes.commit()).await
    }
}
