use aws_sdk_dynamodb::types::{AttributeValue, Put};

use crate::{
    Store,
    subscriptions::{
        read::{CURRENT_ENTITY, Subscribed, Subscriber},
        timers::TimerItem,
    },
    table::{
        item::{Attributes, Item, Stored, encode_part, encode_version},
        key::Key,
        transaction::Transaction,
        update::{AT_VERSION, Update},
    },
    tenants::owner::owned_by,
};
use domain::{
    ChildKind, Decision, Error, EventType, InvoiceId, InvoiceStatus, PeriodInvoice, Plan,
    PlanFeatures, PlanState, Refusal, Result, Subscription, Tenant,
};

impl Store {
    /// Writes a new subscription with everything that follows from it, in one transaction. `request`
    /// is the ID of the API request.
    ///
    /// # Errors
    ///
    /// [`Refusal::SubscriptionExists`] if the tenant has another subscription by now; [`Error::Stale`]
    /// if the tenant or the plan has changed since they were read.
    #[tracing::instrument(skip_all, fields(subscription.id = %decision.subscription.id))]
    pub async fn subscribe(
        &self,
        to: &Subscriber,
        decision: &Decision,
        request: &str,
    ) -> Result<()> {
        let writes = self
            .transaction()
            .with_subscriber_of(&to.plan)?
            .decided(None, decision, Some(request))?
            .with_standing_of(&to.tenant, decision)?;
        self.invalidating(to.tenant.item.id, writes.commit()).await
    }

    /// Writes everything that follows from a decision about a subscription, in one transaction.
    /// Writes nothing if nothing follows. `request` is the ID of the API request, if one caused it.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the subscription or its tenant has changed since they were read.
    #[tracing::instrument(skip_all, fields(subscription.id = %decision.subscription.id))]
    pub async fn decide(
        &self,
        before: &Subscribed,
        decision: &Decision,
        request: Option<&str>,
    ) -> Result<()> {
        if !changes(&before.subscription.item, decision) {
            return Ok(());
        }
        let writes = self
            .transaction()
            .decided(Some(&before.subscription), decision, request)?
            .with_standing_of(&before.tenant, decision)?;
        self.invalidating(before.tenant.item.id, writes.commit()).await
    }

    /// Writes a change of plan. `plan` is the new plan, if it is another one.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the subscription, its tenant or the plan has changed since they were read.
    #[tracing::instrument(skip_all, fields(subscription.id = %decision.subscription.id))]
    pub async fn change_plan(
        &self,
        before: &Subscribed,
        plan: Option<&Stored<Plan>>,
        decision: &Decision,
        request: &str,
    ) -> Result<()> {
        let Some(plan) = plan else { return self.decide(before, decision, Some(request)).await };
        let writes = self
            .transaction()
            .with_subscriber_of(plan)?
            .decided(Some(&before.subscription), decision, Some(request))?
            .with_standing_of(&before.tenant, decision)?;
        self.invalidating(before.tenant.item.id, writes.commit()).await
    }

    /// Replaces a subscription whose details a client has changed. Its timers get the new version.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the subscription has changed since it was read.
    pub(crate) async fn edit_subscription(
        &self,
        before: &Stored<Subscription>,
        after: &Subscription,
    ) -> Result<()> {
        let decision = Decision::new(after.clone());
        self.transaction().decided(Some(before), &decision, None)?.commit().await
    }
}

/// Returns whether a decision changes anything.
pub(crate) fn changes(before: &Subscription, decision: &Decision) -> bool {
    *decision != Decision::new(before.clone())
}

impl Subscribed {
    /// Returns the version of the subscription after a decision.
    #[must_use]
    pub fn version_after(&self, decision: &Decision) -> u64 {
        let Stored { item, version } = &self.subscription;
        version + u64::from(changes(item, decision))
    }
}

impl Transaction<'_> {
    /// Requires that the plan is as it was read, and marks it as a plan that has had a subscriber.
    pub(crate) fn with_subscriber_of(self, plan: &Stored<Plan>) -> Result<Self> {
        let Stored { item: plan, version } = plan;
        if plan.subscribed {
            return self.require_active_plan(plan);
        }
        let marked =
            Update::when(AT_VERSION).given("version", version).set("subscribed", "yes", true);
        self.update(plan.key(), marked, Error::Stale)
    }

    /// Requires that a plan is active. Its terms may change meanwhile, because a subscription keeps
    /// those that it began with.
    fn require_active_plan(self, plan: &Plan) -> Result<Self> {
        let active = encode_part(PlanState::Active)?;
        self.require_value(plan.key(), ("state", active), Error::Stale)
    }

    /// Writes a decision about a subscription, except for what it changes in the tenant and the job that it
    /// opens: the subscription with the names of its events, the claim of the current subscription, the
    /// features that it gives, the invoices, and the timers.
    pub(crate) fn decided(
        self,
        before: Option<&Stored<Subscription>>,
        decision: &Decision,
        request: Option<&str>,
    ) -> Result<Self> {
        let Decision { subscription, events, invoice, paid, .. } = decision;
        let version = before.map_or(0, |before| before.version) + 1;
        let item = encode_decided(subscription, version, events, request)?;
        let mut writes = match before {
            None => self.new_subscription(subscription, item)?,
            Some(before) => {
                let put = Put::builder().set_item(Some(item)).condition_expression(AT_VERSION);
                let read_at = AttributeValue::N(before.version.to_string());
                let put = put.expression_attribute_values(":version", read_at);
                self.put_if(put, Error::Stale)?
            }
        };
        if before.is_some_and(|before| before.item.is_current()) && !subscription.is_current() {
            let key = Key::current_subscription(subscription.tenant_id);
            writes = writes.release(key, subscription.id.to_string())?;
        }
        let given = before.and_then(|before| PlanFeatures::of(&before.item));
        let plan = PlanFeatures::of(subscription);
        if plan != given {
            writes = writes.grant(subscription, plan.as_ref())?;
        }
        if let Some(invoice) = invoice {
            writes = writes.period_invoice(subscription, invoice)?;
        }
        if let Some(paid) = paid {
            writes = writes.invoice_paid(subscription, *paid)?;
        }
        writes.timers(before.map(|before| &before.item), subscription, version)
    }

    fn new_subscription(self, subscription: &Subscription, item: Attributes) -> Result<Self> {
        let (tenant, id) = (subscription.tenant_id, subscription.id);
        let exists = Error::Refused(Refusal::SubscriptionExists);
        let current = [
            ("entity".into(), AttributeValue::S(CURRENT_ENTITY.into())),
            ("holder".into(), AttributeValue::S(id.to_string())),
        ];
        self.claim(Key::current_subscription(tenant), current.into(), exists)?
            .put_new(item, None)?
            .put_auxiliary(Key::owner_of_subscription(id), owned_by(tenant, "owner"))
    }

    /// Writes the invoice of a period, which must not exist.
    fn period_invoice(self, of: &Subscription, invoice: &PeriodInvoice) -> Result<Self> {
        let key = Key::owner(ChildKind::Invoice, invoice.id);
        self.insert(&of.invoice(invoice))?.put_auxiliary(key, owned_by(of.tenant_id, "owner"))
    }

    fn invoice_paid(self, of: &Subscription, id: InvoiceId) -> Result<Self> {
        let paid = Update::when("#status = :pending AND deleted = :no")
            .given("pending", InvoiceStatus::Pending)
            .given("no", false)
            .set("#status", "paid", InvoiceStatus::Paid)
            .set("modifiedOn", "now", of.audit.modified_on)
            .set("modifiedBy", "by", &of.audit.modified_by);
        let key = Key::child(ChildKind::Invoice, of.tenant_id, id);
        self.update(key, paid, Error::Stale)
    }

    /// Writes the timers of a subscription's new version, and deletes those that no longer wait.
    fn timers(
        mut self,
        before: Option<&Subscription>,
        after: &Subscription,
        version: u64,
    ) -> Result<Self> {
        let timers = if after.audit.deleted { Vec::new() } else { after.timers(version) };
        let is_left = |action| timers.iter().any(|timer| timer.action == action);
        let old = before.map_or_else(Vec::new, |before| before.timers(0));
        for timer in old.iter().filter(|timer| !is_left(timer.action)) {
            self = self.delete_any(Key::timer(timer.subject, timer.action))?;
        }
        for timer in &timers {
            self = self.put_any(&TimerItem::new(timer, after))?;
        }
        Ok(self)
    }

    /// Changes the tenant's standing as decided, or requires that the tenant is as it was read.
    pub(crate) fn with_standing_of(
        self,
        tenant: &Stored<Tenant>,
        decision: &Decision,
    ) -> Result<Self> {
        let Stored { item, version } = tenant;
        let Some(change) = decision.tenant else {
            return self.require_version(item.key(), *version, Error::Stale);
        };
        let audit = &decision.subscription.audit;
        let changed = item.clone().with_standing(change, audit.modified_on, &audit.modified_by)?;
        self.replace_tenant(tenant, &changed.deprovisioned_on(decision.deprovision_on))
    }
}

/// Encodes a version of a subscription with the events that it causes.
fn encode_decided(
    subscription: &Subscription,
    version: u64,
    events: &[EventType],
    request: Option<&str>,
) -> Result<Attributes> {
    let mut item = encode_version(subscription, version)?;
    if !events.is_empty() {
        item.insert("events".into(), encode_part(events)?);
    }
    if let Some(request) = request {
        item.insert("requestId".into(), AttributeValue::S(request.into()));
    }
    Ok(item)
}
