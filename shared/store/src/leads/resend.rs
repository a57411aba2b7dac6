use std::time::Duration;

use crate::{
    Store,
    table::{
        index::Partition,
        item::{Item, encode_from},
        key::Key,
    },
};
use domain::{EMAILS_PER_DAY, Error, Lead, Resend, Result, UserId};
use filter::Direction;
use schema::Timestamp;

/// Maximum number of leads with one address that are considered.
const LOOKED_AT: usize = 100;

impl Item for Resend {
    const ENTITY: &'static str = "resend";

    fn key(&self) -> Key {
        Key::resend(self.id)
    }
}

impl Store {
    /// Stores a request for another link, made by the API request with this ID.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the request cannot be written.
    pub async fn request_resend(&self, request: &Resend, request_id: &str) -> Result<()> {
        if self.completion.is_some() {
            return self.transaction().insert_from(request, request_id)?.commit().await;
        }
        self.put_generated(encode_from(request, request_id)?, "writing a resend request").await
    }

    /// Issues a link to the verified lead of the mailbox. If there is none, renews the leads that
    /// `request` refers to. Either leads to an email each, as far as their daily limit allows.
    /// Idempotent: the stream may deliver the request more than once.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] or [`Error::Busy`] if something cannot be read or written.
    #[tracing::instrument(skip_all, fields(resend.id = %request.id))]
    pub async fn resend(
        &self,
        request: &Resend,
        request_id: &str,
        now: Timestamp,
        by: &UserId,
        retention: Option<Duration>,
    ) -> Result<()> {
        if let Some(holder) = self.holder_of(&request.email).await? {
            return self.issue_link(request, holder.lead_id, request_id, now).await;
        }
        let leads = self.leads_to_renew(request).await?.into_iter();
        let renewed: Vec<_> = leads.filter_map(|lead| lead.renewed(now, by, retention)).collect();
        for many in (1..=renewed.len()).rev() {
            match self.renew(request, &renewed[..many], request_id, now).await {
                // The mailbox has fewer emails left for today, so try with one lead less.
                Err(Error::RateLimited) => {}
                // The request was handled before.
                Ok(()) | Err(Error::Stale) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Returns the leads to renew if none is verified: the lead named in the request. If there is none
    /// of this address, one lead of each distinct content.
    async fn leads_to_renew(&self, request: &Resend) -> Result<Vec<Lead>> {
        if let Some(id) = request.lead_id {
            match self.lead(id).await {
                Err(Error::NotFound { .. }) => {}
                lead => {
                    if let Some(own) = request.matching(lead?) {
                        return Ok(vec![own]);
                    }
                }
            }
        }
        let partition = Partition::leads_of_email(&request.email.folded());
        let leads = self.first(partition, Direction::Ascending, LOOKED_AT, &[]).await?;
        let now = lambda::now().seconds();
        let active = |lead: &Lead| lead.expires_at.is_none_or(|expiry| expiry > now);
        Ok(Resend::distinct(leads.into_iter().filter(active).collect()))
    }

    async fn renew(
        &self,
        request: &Resend,
        renewed: &[Lead],
        request_id: &str,
        now: Timestamp,
    ) -> Result<()> {
        let many = u32::try_from(renewed.len()).unwrap_or(u32::MAX);
        let mut writes = self
            .transaction()
            .delete_existing(request.key(), Error::Stale)?
            .count_mails(&request.email, many, EMAILS_PER_DAY, now)?;
        for lead in renewed {
            writes = writes.insert_from(lead, request_id)?;
        }
        writes.commit().await
    }
}
