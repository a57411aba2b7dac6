use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    Store,
    table::{key::Key, query::QueryPages, update::Update},
};
use domain::{EMAILS_PER_DAY, Error, Job, Lead, LeadId, LeadLink, Resend, Result, Stage, TenantId};
use schema::Timestamp;

impl Store {
    /// Issues a link to the verified lead of the request's mailbox, as far as the daily limit of
    /// emails allows. The link leads to an email. Idempotent, as [`Store::resend`].
    pub(super) async fn issue_link(
        &self,
        request: &Resend,
        lead: LeadId,
        request_id: &str,
        now: Timestamp,
    ) -> Result<()> {
        let lead = match self.lead(lead).await {
            Err(Error::NotFound { .. }) => return Ok(()),
            lead => lead?,
        };
        let link = self.link_of(&lead, now).await?;
        let linked = Update::when("isValidated = :yes AND deleted = :not")
            .given("yes", true)
            .given("not", false)
            .set("link", "link", &link)
            .set("requestId", "request", request_id);
        let written = self
            .transaction()
            .delete_existing(Key::resend(request.id), Error::Stale)?
            .count_mails(&request.email, 1, EMAILS_PER_DAY, now)?
            .update(Key::lead(lead.id), linked, Error::Stale)?
            .commit()
            .await;
        match written {
            // The request was handled before, or the mailbox has no emails left for today.
            Err(Error::Stale | Error::RateLimited) => Ok(()),
            written => written,
        }
    }

    /// Returns a link for a verified lead, with the stage of its sign-up.
    async fn link_of(&self, lead: &Lead, now: Timestamp) -> Result<LeadLink> {
        let (stage, app_plane_url) = match lead.tenant_id {
            None => (Stage::Verified, None),
            Some(tenant) => match self.tenant(tenant).await {
                Err(Error::NotFound { .. }) => (Stage::Removed, None),
                found => match found?.status.into() {
                    Stage::Ready => (Stage::Ready, self.app_plane_url(tenant).await?),
                    stage => (stage, None),
                },
            },
        };
        Ok(LeadLink { issued_on: now, stage, app_plane_url })
    }

    /// Returns the URL that the tenant's latest successful build reported, if any.
    async fn app_plane_url(&self, tenant: TenantId) -> Result<Option<String>> {
        let query = self
            .newest_first(tenant, Key::JOBS)
            .filter_expression("kind IN (:provision, :change) AND #state = :succeeded")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":provision", AttributeValue::S("provision".into()))
            .expression_attribute_values(":change", AttributeValue::S("change".into()))
            .expression_attribute_values(":succeeded", AttributeValue::S("succeeded".into()));
        let job = QueryPages::new(query, "reading a tenant's jobs").next_item().await?;
        let job = job.map(|job| job.decode::<Job>()).transpose()?;
        Ok(job.and_then(|job| job.app_plane_url))
    }
}
