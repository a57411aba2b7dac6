//! Events become mails, each once.
//!
//! A claim in the table keeps deliveries of one event apart. SES has no token for a call made again,
//! so a mail goes out twice where nobody knows whether SES took it: where its answer is lost, or the
//! process ends between that answer and the note of it. Twice is better than never.

mod mail;
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
use shared::{
    Env, Error, Result,
    aws::Aws,
    config::ConfigError,
    dead_letter::EventFailures,
    domain::Event,
    fault::{Fault, Service},
    lambda::{Envelope, Payload},
    metric::{Metric, Metrics},
    store::{Claim, Store},
};

use crate::{mail::Mail, writer::Writer};

/// Mails leads and tenants.
#[derive(Debug)]
pub struct Mailer {
    client: Client,
    store: Store,
    writer: Writer,
    from: String,
    configuration_set: Option<String>,
    failures: EventFailures,
    metrics: Metrics,
}

/// The name under which events are claimed.
const CONSUMER: &str = "mailer";

/// How long a claim is good: longer than the SDK lets a call take, which is 8 seconds.
const LEASE: Duration = Duration::from_secs(10);

/// How soon to look again at an event that another delivery has: it is likely done by then.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

impl Mailer {
    /// Reads `FROM_EMAIL`, `CONFIGURATION_SET`, and what the mails are written from.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the variable that is missing or malformed.
    pub async fn new(env: &Env) -> Result<Self, ConfigError> {
        let aws = Aws::from_env(env)?;
        Ok(Self {
            client: aws.ses(),
            store: Store::from_env(env, &aws)?,
            from: sender::from_env(env)?,
            configuration_set: env.get("CONFIGURATION_SET").map(str::to_owned),
            writer: Writer::from_env(env, &aws).await?,
            failures: EventFailures::from_env(env, &aws)?,
            metrics: Metrics::from_env(env),
        })
    }

    /// Sends the mail that the event asks for, if any. An event that cannot be read, or whose mail SES
    /// refuses for good, is set aside.
    ///
    /// # Errors
    ///
    /// If the mail may be sent later, so that the event is delivered again.
    pub async fn handle(&self, event: Payload) -> Result<()> {
        let mailed = match event.envelope() {
            Ok(event) => Box::pin(self.mail(event)).await,
            Err(error) => Err(error),
        };
        self.failures.settle(&event, mailed).await
    }

    async fn mail(&self, event: Envelope) -> Result<()> {
        let (id, mail) = match event.detail_type.as_str() {
            "LEAD_CREATED" => {
                let Event { id, lead, .. } = event.event()?;
                (id, lead.map(|lead| self.writer.verification(&lead, shared::now())))
            }
            "TENANT_PROVISIONING_SUCCESS" => {
                let Event { id, tenant, job, .. } = event.event()?;
                (id, tenant.map(|tenant| self.writer.welcome(&tenant, job.as_ref())))
            }
            other => {
                tracing::debug!(event.kind = other, "nothing to mail");
                return Ok(());
            }
        };
        match mail.transpose()?.flatten() {
            Some(mail) => self.send_once(&id, &mail).await,
            None => {
                tracing::info!(event.id = id, "no mail is due");
                Ok(())
            }
        }
    }

    async fn send_once(&self, event: &str, mail: &Mail) -> Result<()> {
        loop {
            match self.store.claim_event(CONSUMER, event, shared::now(), LEASE).await? {
                Claim::Ours => break,
                Claim::Done => return Ok(()),
                Claim::Held(until) => {
                    let rest = until.since(shared::now()) + Duration::from_millis(1);
                    tokio::time::sleep(rest.min(LOOK_AGAIN)).await;
                }
            }
        }
        let sent = self.send(mail).await;
        let noted = match &sent {
            Ok(()) => self.store.complete_event(CONSUMER, event, shared::now()).await,
            Err(_) => {
                self.metrics.write(&Metric::MailFailed, shared::now());
                self.store.release_event(CONSUMER, event, shared::now()).await
            }
        };
        // To fail here would bring the event again, and after the lease the mail a second time.
        if let Err(error) = noted {
            tracing::warn!(event.id = event, ?error, "what became of an event could not be noted");
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

const SENDING: &str = "sending a mail";

/// A failure without SES's message, which names the address.
fn failed(cause: SdkError<SendEmailError>) -> Error {
    let told = match &cause {
        SdkError::ServiceError(refusal) => {
            let code = refusal.err().code().unwrap_or("no code");
            let request = refusal.err().meta().request_id().unwrap_or("unknown");
            format!("SES refused it: {code} (request {request})")
        }
        SdkError::ResponseError(_) => "SES gave an answer that cannot be read".to_owned(),
        _ => return Error::of(Service::Ses, SENDING)(cause),
    };
    match Service::Ses.fault_of(&cause) {
        Fault::Permanent => Error::permanent(SENDING)(told),
        Fault::Transient => Error::aws(SENDING)(told),
    }
}
