use crate::{
    Store,
    subscriptions::{
        read::{CurrentSubscription, Subscribed},
        write::changes,
    },
    table::{item::Item, key::Key, transaction::Transaction},
};
use domain::{Audit, Context, Decision, Error, Result, SettledInvoice, TenantId};

/// A subscription, and what follows for it from an invoice that was paid, cancelled or deleted.
pub(crate) struct Settling {
    before: Subscribed,
    decision: Decision,
}

impl Store {
    /// Returns what follows for the subscription of a tenant from an edit of its invoice, which now has this
    /// `audit`. An invoice of no subscription is about the current one. Returns `None` if
    /// there is no subscription.
    pub(crate) async fn settling(
        &self,
        tenant: TenantId,
        invoice: SettledInvoice,
        audit: &Audit,
    ) -> Result<Option<Settling>> {
        let of = match invoice.of {
            Some(of) => Some(of),
            None => {
                let key = Key::current_subscription(tenant);
                self.get::<CurrentSubscription>(key).await?.map(|current| current.holder)
            }
        };
        let Some(of) = of else { return Ok(None) };
        let Some(before) = self.subscribed(tenant, of).await? else { return Ok(None) };
        let standing = before.tenant.item.standing();
        let at = Context { tenant: standing, now: audit.modified_on, by: &audit.modified_by };
        let decision = before.subscription.item.clone().without_overdue(invoice.id, at);
        Ok(Some(Settling { before, decision }))
    }
}

impl Transaction<'_> {
    /// Writes what follows from a settled invoice. If nothing does, requires that the subscription is as it
    /// was read, so that the invoice does not become overdue at the same time.
    pub(crate) fn settled(self, settling: &Settling) -> Result<Self> {
        let Settling { before: Subscribed { subscription, tenant }, decision } = settling;
        if !changes(&subscription.item, decision) {
            return self.require_version(
                subscription.item.key(),
                subscription.version,
                Error::Stale,
            );
        }
        let request = lambda::trace::current().request_id;
        self.decided(Some(subscription), decision, request.as_deref())?
            .with_standing_of(tenant, decision)
    }
}
