use std::time::Duration;

use super::{IndexKey, Item, Key, Store, item::encode_from};
use crate::{
    Error, Result,
    domain::{Lead, MAILS_A_DAY, Resend, Timestamp, UserId},
    filter::Direction,
};

/// The most leads of one address that are looked at.
const LOOKED_AT: usize = 100;

impl Item for Resend {
    const KIND: &'static str = "resend";

    fn key(&self) -> Key {
        Key::resend(self.id)
    }
}

impl Store {
    /// Writes down that another verification mail is asked for, by the request of this ID.
    ///
    /// # Errors
    ///
    /// [`Error::Aws`] if it cannot be written.
    pub async fn ask_to_resend(&self, asked: &Resend, request: &str) -> Result<()> {
        let put = self.client.put_item().table_name(&*self.table);
        let put = put.set_item(Some(encode_from(asked, request)?));
        let sent = put.condition_expression("attribute_not_exists(pk)").send().await;
        sent.map(drop).map_err(Error::aws("writing down a request"))
    }

    /// Renews the leads that `asked` is for, each with a mail, as far as the mails of the day allow.
    /// It does so once, however often the stream tells of the request.
    ///
    /// # Errors
    ///
    /// [`Error::Aws`] and [`Error::Busy`] if something cannot be read or written.
    #[tracing::instrument(skip_all, fields(resend.id = %asked.id))]
    pub async fn resend(
        &self,
        asked: &Resend,
        request: &str,
        now: Timestamp,
        by: &UserId,
        retention: Option<Duration>,
    ) -> Result<()> {
        let leads = self.leads_to_renew(asked).await?.into_iter();
        let renewed: Vec<_> = leads.filter_map(|lead| lead.renewed(now, by, retention)).collect();
        for many in (1..=renewed.len()).rev() {
            match self.renew(asked, &renewed[..many], request, now).await {
                // Fewer mails than that are left for today.
                Err(Error::RateLimited) => {}
                // It was answered before.
                Ok(()) | Err(Error::Stale) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// What the mailbox has proved goes before what anybody wrote about it: the verified lead of the
    /// address, else the lead that the request names, else every different one.
    async fn leads_to_renew(&self, asked: &Resend) -> Result<Vec<Lead>> {
        let holder = self.holder_of(&asked.email).await?.map(|holder| holder.lead_id);
        let Some(id) = holder.or(asked.lead_id) else {
            let partition = IndexKey::leads_of_email(&asked.email.folded());
            let leads =
                self.first(("gsi2", partition), Direction::Ascending, LOOKED_AT, &[]).await?;
            let now = crate::now().seconds();
            let living = |lead: &Lead| lead.expires_at.is_none_or(|expiry| expiry > now);
            return Ok(Resend::different(leads.into_iter().filter(living).collect()));
        };
        match self.lead(id).await {
            Ok(lead) => Ok(asked.at_its_address(lead).into_iter().collect()),
            Err(Error::NotFound { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    async fn renew(
        &self,
        asked: &Resend,
        renewed: &[Lead],
        request: &str,
        now: Timestamp,
    ) -> Result<()> {
        let many = u32::try_from(renewed.len()).unwrap_or(u32::MAX);
        let mut writes = self.transaction().take(asked.key(), Error::Stale)?.count_mails(
            &asked.email,
            many,
            MAILS_A_DAY,
            now,
        )?;
        for lead in renewed {
            writes = writes.insert_from(lead, request)?;
        }
        writes.commit().await
    }
}
