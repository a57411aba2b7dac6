//! Leads.

mod link;
mod resend;

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    Store,
    lists::{by_id::ById, found::Found, listed::Listed},
    table::{
        index::{IndexKey, Partition},
        item::{Attributes, Item, Stored, decode_all, encode_from},
        key::Key,
        update::Update,
    },
};
use domain::{Email, EntityOwner, Error, Lead, LeadId, Result, UserId};
use filter::Where;
use schema::Timestamp;

impl Item for Lead {
    const ENTITY: &'static str = "lead";

    fn key(&self) -> Key {
        Key::lead(self.id)
    }

    fn indexes(&self) -> Vec<IndexKey> {
        let order = self.audit.created_on;
        vec![
            Partition::of_entity(Self::ENTITY).key(order, self.id),
            Partition::leads_of_email(&self.email.folded()).key(order, self.id),
        ]
    }
}

impl ById for Lead {
    type Id = LeadId;

    fn id(&self) -> LeadId {
        self.id
    }

    async fn by_ids(store: &Store, ids: Vec<LeadId>) -> Result<Vec<Stored<Self>>> {
        let keys: Vec<_> = ids.into_iter().map(Key::lead).collect();
        decode_all(&store.get_all(&keys).await?)
    }
}

impl Listed for Lead {
    async fn by_other_key(_: &Store, _: &Where) -> Result<Option<Vec<Found<Self>>>> {
        Ok(None)
    }

    async fn one(store: &Store, id: LeadId) -> Result<(Stored<Self>, EntityOwner)> {
        let lead = store.get_active(Key::lead(id)).await?;
        Ok((lead.ok_or_else(|| Error::not_found(id))?, id.into()))
    }

    async fn of_lead(
        store: &Store,
        lead: LeadId,
        _: &Where,
    ) -> Result<(Vec<Found<Self>>, EntityOwner)> {
        Ok((Found::all(Self::by_ids(store, vec![lead]).await?)?, lead.into()))
    }

    fn partition(conditions: &Where) -> Partition {
        match conditions.equals("email").as_ref().and_then(Value::as_str) {
            Some(folded) => Partition::leads_of_email(folded),
            None => Partition::of_entity(Self::ENTITY),
        }
    }
}

impl Store {
    /// Returns the lead with this ID, strongly consistent.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such lead or it was deleted.
    #[tracing::instrument(skip_all, fields(lead.id = %id))]
    pub async fn lead(&self, id: LeadId) -> Result<Lead> {
        let lead = self.get_active(Key::lead(id)).await?;
        lead.map(|stored| stored.item).ok_or_else(|| Error::not_found(id))
    }

    /// Writes a new lead, created by the request with this ID. No verification email is sent if the
    /// lead's mailbox has already had `most` emails today. `None` means no limit.
    ///
    /// Checks with a plain read whether the address is taken. The claim in [`Self::validate_lead`]
    /// decides; a condition check in this write would cost more than it saves.
    ///
    /// # Errors
    ///
    /// [`Error::EmailTaken`] if a validated lead has the address.
    pub async fn add_lead(&self, lead: Lead, most: Option<u32>, request: &str) -> Result<()> {
        let (email, now) = (&lead.email, lead.audit.created_on);
        // First, so that an attempt with a taken address leaves its emails to the links of the owner.
        if self.holder_of(email).await?.is_some() {
            return Err(Error::EmailTaken);
        }
        let may_mail = match most {
            Some(most) => self.may_mail(email, most, now).await?,
            None => true,
        };
        self.put_lead(&Lead { unmailed: !may_mail, ..lead }, request).await
    }

    /// Writes a new lead without checking whether its address is taken.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the lead cannot be written.
    #[tracing::instrument(skip_all, fields(lead.id = %lead.id))]
    pub async fn put_lead(&self, lead: &Lead, request: &str) -> Result<()> {
        if self.completion.is_some() {
            return self.transaction().insert_from(lead, request)?.commit().await;
        }
        self.put_generated(encode_from(lead, request)?, "writing a lead").await
    }

    /// Marks a lead as validated and claims its address. A renewed lead takes the address over from
    /// a lead of the same origin without a tenant. The earlier lead is then no longer validated,
    /// but may take the address back.
    ///
    /// # Errors
    ///
    /// [`Error::EmailTaken`] if a lead of another origin or a lead with a tenant has the address;
    /// [`Error::Stale`] if the lead or the claim has changed in the meantime.
    #[tracing::instrument(skip_all, fields(lead.id = %lead.id))]
    pub async fn validate_lead(
        &self,
        lead: &Lead,
        now: Timestamp,
        by: &UserId,
        retention: Option<Duration>,
    ) -> Result<()> {
        let claim: Attributes = [
            ("entity".into(), AttributeValue::S("lead-email".into())),
            ("leadId".into(), AttributeValue::S(lead.id.to_string())),
            ("origin".into(), AttributeValue::S(lead.root().to_string())),
        ]
        .into();
        let validated = Update::when("isValidated = :not AND deleted = :not")
            .given("not", false)
            .set("isValidated", "validated", true)
            .set("modifiedOn", "now", now)
            .set("modifiedBy", "by", by)
            .remove("expiresAt");
        let writes = self.transaction().update(Key::lead(lead.id), validated, Error::Stale)?;
        let claim_key = Key::lead_email(&lead.email);
        let holder = if lead.takes_over { self.holder_of(&lead.email).await? } else { None };
        let writes = match holder {
            // A concurrent request with the same link has validated the lead after it was read.
            Some(holder) if holder.lead_id == lead.id => return Err(Error::Stale),
            Some(holder) if holder.root() != lead.root() => return Err(Error::EmailTaken),
            Some(Holder { lead_id: holder, .. }) => {
                writes.transfer(claim_key, claim, holder.to_string(), Error::Stale)?.update(
                    Key::lead(holder),
                    release_address(now, by, retention),
                    Error::EmailTaken,
                )?
            }
            None if lead.takes_over => writes.claim(claim_key, claim, Error::Stale)?,
            None => writes.claim(claim_key, claim, Error::EmailTaken)?,
        };
        writes.commit().await
    }

    /// Returns the claim on this address, or `None` if it is free.
    pub(crate) async fn holder_of(&self, email: &Email) -> Result<Option<Holder>> {
        self.get(Key::lead_email(email)).await
    }
}

/// The claim of an address, which names its validated lead.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Holder {
    pub(crate) lead_id: LeadId,
    origin: Option<LeadId>,
}

impl Holder {
    fn root(&self) -> LeadId {
        self.origin.unwrap_or(self.lead_id)
    }
}

/// Returns the changes to a validated lead whose address is taken over.
fn release_address(now: Timestamp, by: &UserId, retention: Option<Duration>) -> Update {
    let released = Update::when("attribute_not_exists(tenantId)")
        .set("isValidated", "not", false)
        .set("takesOver", "again", true)
        .set("modifiedOn", "now", now)
        .set("modifiedBy", "by", by);
    match Lead::expiry(now, retention) {
        Some(expiry) => released.set("expiresAt", "expiry", expiry),
        None => released,
    }
}
