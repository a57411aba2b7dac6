//! Sends one email per event.
//!
//! A claim in the table keeps two deliveries of an event from sending two emails. SES has no
//! idempotency token, so an email is sent twice if the answer of SES is lost, or if the process
//! ends after that answer and before the claim is completed. Twice is better than never.

mod mail;
mod notice;
mod notice_words;
mod sender;
#[cfg(test)]
mod tests;
mod words;
mod writer;

use std::time::Duration;

use aws_sdk_sesv2::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::{RequestId, send_email::SendEmailError},
    types::Destination,
};
use domain::{
    Error, Event, EventJob, EventTenant, EventType, Result, Retention, SubscriptionKey, Tenant,
    TenantId, TenantStatus,
};
use lambda::{
    Env, Envelope, Payload,
    aws::Aws,
    config::{ConfigError, retention},
    dead_letter::EventFailures,
    fault::{Fault, Service},
    metric::{Metric, Metrics},
};
use schema::Timestamp;
use store::{Claim, Store, Subscribed};

use crate::{mail::Mail, notice_words::SubscriptionNotice, writer::Writer};

/// Sends emails to leads and tenants.
#[derive(Debug)]
pub struct Mailer {
    client: Client,
    store: Store,
    writer: Writer,
    from: String,
    configuration_set: Option<String>,
    failures: EventFailures,
    metrics: Metrics,
    retention: Retention,
}

/// The types of events that lead to an email.
const MAILED: [EventType; 9] = [
    EventType::LeadCreated,
    EventType::LeadLinkRequested,
    EventType::TenantProvisioningSuccess,
    EventType::TenantProvisioningFailure,
    EventType::TenantSuspended,
    EventType::TenantReactivated,
    EventType::SubscriptionTrialEnding,
    EventType::SubscriptionPastDue,
    EventType::SubscriptionCancelScheduled,
];

/// The name under which events are claimed.
const CONSUMER: &str = "mailer";

/// The lifetime of a claim: longer than the SDK's time limit of a call, which is 8 seconds.
const LEASE: Duration = Duration::from_secs(10);

/// The pause before an event that another delivery has claimed is checked again.
const CLAIM_RETRY: Duration = Duration::from_secs(1);

impl Mailer {
    /// Reads the configuration: `FROM_EMAIL`, `CONFIGURATION_SET`, `AUTO_DEPROVISION`, `RETENTION_DAYS`, and
    /// the variables of the writer.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a variable is missing or malformed.
    pub async fn new(env: &Env) -> Result<Self, ConfigError> {
        let aws = Aws::from_env(env)?;
        Ok(Self {
            client: aws_sdk_sesv2::Client::new(&aws.service("SESV2")),
            store: Store::from_env(env, &aws)?,
            from: sender::from_env(env)?,
            configuration_set: env.get("CONFIGURATION_SET").map(str::to_owned),
            writer: Writer::from_env(env, &aws).await?,
            failures: EventFailures::from_env(env, &aws)?,
            metrics: Metrics::from_env(env),
            retention: retention(env)?,
        })
    }

    /// Sends the email for the event, if any. An event that cannot be parsed, or whose email SES
    /// rejects permanently, is moved to the dead-letter queue.
    ///
    /// # Errors
    ///
    /// If sending failed and a retry may succeed, so that the event is delivered again.
    pub async fn handle(&self, event: Payload) -> Result<()> {
        self.failures.handle(&event, |event| self.mail(event)).await
    }

    async fn mail(&self, event: Envelope) -> Result<()> {
        let kind = event.detail_type.parse().ok().filter(|kind| MAILED.contains(kind));
        let Some(kind) = kind else {
            tracing::debug!(event.kind = event.detail_type, "no email for this event type");
            return Ok(());
        };
        let event = event.read_and_trace()?;
        match self.write(kind, &event).await? {
            Some(mail) => self.send_once(&event.id, &mail).await,
            None => {
                tracing::info!(event.id, "no email to send");
                Ok(())
            }
        }
    }

    async fn write(&self, kind: EventType, event: &Event) -> Result<Option<Mail>> {
        let now = lambda::now();
        match (kind, &event.lead, &event.tenant) {
            (EventType::LeadCreated, Some(lead), _) => self.writer.verification(lead, now),
            (EventType::LeadLinkRequested, Some(lead), _) => match &lead.link {
                Some(link) => self.writer.link(lead, link, now),
                None => Ok(None),
            },
            (EventType::TenantProvisioningSuccess, _, Some(tenant)) => {
                self.welcome(tenant, event.job.as_ref()).await
            }
            (EventType::TenantProvisioningFailure, _, Some(tenant)) => {
                self.failure(tenant, event.job.as_ref(), now).await
            }
            (EventType::TenantSuspended | EventType::TenantReactivated, _, Some(tenant)) => {
                self.standing(tenant).await
            }
            _ => match event.subscription_key()? {
                Some(key) => self.subscription(kind, key, now).await,
                None => Ok(None),
            },
        }
    }

    /// Returns the email about a suspension to the tenant's primary contact, as it is now. Returns `None`
    /// if the tenant has another status by now, so that an event that arrives late misleads nobody.
    async fn standing(&self, changed: &EventTenant) -> Result<Option<Mail>> {
        let Some(tenant) = self.tenant(changed.id).await? else { return Ok(None) };
        if tenant.status != changed.status {
            return Ok(None);
        }
        let contact = self.store.primary_contact(tenant.id).await?;
        contact.map(|contact| self.writer.standing(&tenant, &contact)).transpose()
    }

    /// Returns the email about a subscription to the tenant's primary contact. Returns `None` if the
    /// subscription has moved on, so that an event that arrives late misleads nobody.
    async fn subscription(
        &self,
        kind: EventType,
        key: SubscriptionKey,
        now: Timestamp,
    ) -> Result<Option<Mail>> {
        let found = self.store.subscribed(key.tenant_id, key.id).await?;
        let Some(Subscribed { subscription, tenant }) = found else { return Ok(None) };
        let notice = SubscriptionNotice::about(kind, &subscription.item, self.retention, now);
        let Some(notice) = notice else { return Ok(None) };
        let contact = self.store.primary_contact(key.tenant_id).await?;
        contact.map(|contact| self.writer.subscription(&notice, &tenant.item, &contact)).transpose()
    }

    /// Returns the email to the primary contact of a tenant that was built. Returns `None` if the tenant
    /// is on its way out or gone by now.
    async fn welcome(&self, built: &EventTenant, job: Option<&EventJob>) -> Result<Option<Mail>> {
        let Some(tenant) = self.tenant(built.id).await? else { return Ok(None) };
        if matches!(tenant.status, TenantStatus::Deprovisioning | TenantStatus::Inactive) {
            return Ok(None);
        }
        self.writer.welcome(built, job)
    }

    /// Returns the email about a failed build to the lead that became the tenant: the sign-up page
    /// has promised one. Operators see failures in the console, so a tenant without a lead gets none.
    /// Returns `None` if another job has followed, so that an event that arrives late misleads nobody.
    async fn failure(
        &self,
        failed: &EventTenant,
        job: Option<&EventJob>,
        now: Timestamp,
    ) -> Result<Option<Mail>> {
        let Some(lead) = failed.lead_id else { return Ok(None) };
        let Some(tenant) = self.tenant(failed.id).await? else { return Ok(None) };
        let latest = tenant.latest_job.as_ref().map(|latest| latest.id);
        let is_latest = latest == job.map(|job| job.id);
        if tenant.status != TenantStatus::ProvisionFailed || !is_latest {
            return Ok(None);
        }
        let lead = match self.store.lead(lead).await {
            Err(Error::NotFound { .. }) => return Ok(None),
            lead => lead?,
        };
        self.writer.failure(&lead.into(), now).map(Some)
    }

    /// Returns a tenant as it is now, or `None` if it was deleted.
    async fn tenant(&self, id: TenantId) -> Result<Option<Tenant>> {
        match self.store.tenant(id).await {
            Err(Error::NotFound { .. }) => Ok(None),
            tenant => tenant.map(Some),
        }
    }

    async fn send_once(&self, event: &str, mail: &Mail) -> Result<()> {
        loop {
            match self.store.claim_event(CONSUMER, event, lambda::now(), LEASE).await? {
                Claim::Ours => break,
                Claim::Done => return Ok(()),
                Claim::Held(until) => {
                    let remaining = until.since(lambda::now()) + Duration::from_millis(1);
                    tokio::time::sleep(remaining.min(CLAIM_RETRY)).await;
                }
            }
        }
        let sent = self.send(mail).await;
        let saved = match &sent {
            Ok(()) => self.store.complete_event(CONSUMER, event, lambda::now()).await,
            Err(_) => {
                self.metrics.write(&Metric::MailFailed, lambda::now());
                self.store.release_event(CONSUMER, event, lambda::now()).await
            }
        };
        // An error would deliver the event again, and send a second email after the lease.
        if let Err(error) = saved {
            tracing::warn!(event.id = event, ?error, "the outcome of an event could not be saved");
        }
        sent
    }

    async fn send(&self, mail: &Mail) -> Result<()> {
        let request = self
            .client
            .send_email()
            .from_email_address(&self.from)
            .destination(Destination::builder().to_addresses(mail.to.as_str()).build())
            .content(mail.content()?)
            .set_configuration_set_name(self.configuration_set.clone());
        request.send().await.map(drop).map_err(failed)
    }
}

const SENDING: &str = "sending an email";

/// Converts an error, leaving out the message of SES, which contains the address.
fn failed(cause: SdkError<SendEmailError>) -> Error {
    let message = match &cause {
        SdkError::ServiceError(refusal) => {
            let code = refusal.err().code().unwrap_or("no code");
            let request = refusal.err().meta().request_id().unwrap_or("unknown");
            format!("SES rejected the email: {code} (request {request})")
        }
        SdkError::ResponseError(_) => "the answer of SES could not be parsed".to_owned(),
        _ => return Service::Ses.error(SENDING)(cause),
    };
    match Service::Ses.fault_of(&cause) {
        Fault::Permanent => Error::permanent(SENDING)(message),
        Fault::Transient => Error::internal(SENDING)(message),
    }
}
