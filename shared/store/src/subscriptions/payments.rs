use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    Store,
    subscriptions::{read::Subscribed, write::changes},
    table::{
        item::{Attributes, Item, encode_part},
        key::Key,
        raw_item::RawItem,
        transaction::Transaction,
    },
};
use domain::{
    ChildKind, Decision, Error, Invoice, InvoiceId, InvoiceStatus, PaymentOutcome, PaymentSignal,
    Result, SubscriptionId,
};

/// How long a signal is remembered: longer than billing systems repeat one.
const KEPT: Duration = Duration::from_secs(400 * 24 * 3600);

/// The kind of the items that remember signals.
const ENTITY: &str = "payment";

/// A signal of a billing system, with everything that it depends on.
#[derive(Clone, Debug)]
pub struct Signalled {
    /// The subscription and its tenant.
    pub subscribed: Subscribed,
    /// Whether a signal with this reference was received before.
    pub is_known: bool,
    /// The invoice that the signal is about, unless the signal is known.
    pub invoice: Option<Invoice>,
}

impl Store {
    /// Returns everything that a signal about a subscription depends on: two reads, and a third one
    /// if the signal names no invoice.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such subscription, or if its tenant has no such invoice.
    #[tracing::instrument(skip_all, fields(subscription.id = %id))]
    pub async fn signalled(&self, id: SubscriptionId, signal: &PaymentSignal) -> Result<Signalled> {
        let tenant = self.tenant_of_subscription(id).await?;
        let invoice_key = |id| Key::child(ChildKind::Invoice, tenant, id);
        let mut keys = vec![
            Key::subscription(tenant, id),
            Key::tenant(tenant),
            Key::payment(tenant, signal.reference.as_str()),
        ];
        keys.extend(signal.invoice_id.map(invoice_key));
        let items = self.get_all(&keys).await?;
        let is_known = items.iter().any(|item| item.entity() == Some(ENTITY));
        let given = items.iter().find(|item| item.entity() == Some(Invoice::ENTITY));
        let subscribed = Subscribed::of(&items)?.ok_or_else(|| Error::not_found(id))?;
        if is_known {
            return Ok(Signalled { subscribed, is_known, invoice: None });
        }
        let invoice_id = subscribed.subscription.item.invoice_of(signal)?;
        let found = match (given, signal.invoice_id) {
            (given, Some(_)) => given.map(RawItem::decode_active::<Invoice>).transpose()?.flatten(),
            (_, None) => self.get_active::<Invoice>(invoice_key(invoice_id)).await?,
        };
        let invoice = found.map(|stored| stored.item);
        let invoice = invoice.filter(|invoice| invoice.is_about(id));
        let invoice = invoice.ok_or_else(|| Error::not_found(invoice_id))?;
        Ok(Signalled { subscribed, is_known, invoice: Some(invoice) })
    }

    /// Writes the decision about a new signal and remembers the signal, in one transaction.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the signal was received, or if the subscription, its tenant or the invoice
    /// has changed in the meantime.
    #[tracing::instrument(skip_all, fields(subscription.id = %decision.subscription.id))]
    pub async fn decide_signal(
        &self,
        before: &Subscribed,
        signal: (&PaymentSignal, InvoiceId),
        decision: &Decision,
        request: &str,
    ) -> Result<()> {
        let mut writes = self.transaction().signal(&before.subscription.item, signal)?;
        if changes(&before.subscription.item, decision) {
            let (PaymentSignal { outcome, .. }, invoice) = signal;
            if *outcome == PaymentOutcome::Failed {
                let pending = ("status", encode_part(InvoiceStatus::Pending)?);
                let key = Key::child(ChildKind::Invoice, before.tenant.item.id, invoice);
                writes = writes.require_value(key, pending, Error::Stale)?;
            }
            writes = writes
                .decided(Some(&before.subscription), decision, Some(request))?
                .with_standing_of(&before.tenant, decision)?;
        }
        self.invalidating(before.tenant.item.id, writes.commit()).await
    }
}

impl Transaction<'_> {
    fn signal(
        self,
        subscription: &domain::Subscription,
        (signal, invoice): (&PaymentSignal, InvoiceId),
    ) -> Result<Self> {
        let now = lambda::now();
        let mut item: Attributes = [
            ("entity".into(), AttributeValue::S(ENTITY.into())),
            ("subscriptionId".into(), AttributeValue::S(subscription.id.to_string())),
            ("invoiceId".into(), AttributeValue::S(invoice.to_string())),
            ("outcome".into(), AttributeValue::S(signal.outcome.to_string())),
            ("receivedOn".into(), AttributeValue::S(now.to_string())),
            ("expiresAt".into(), AttributeValue::N((now + KEPT).seconds().to_string())),
        ]
        .into();
        if let Some(on) = signal.on {
            item.insert("on".into(), encode_part(on)?);
        }
        let key = Key::payment(subscription.tenant_id, signal.reference.as_str());
        self.claim(key, item, Error::Stale)
    }
}
