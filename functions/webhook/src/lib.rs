//! `POST /webhook`: builds report the outcome and the progress of their jobs.

mod routes;
mod signature;

pub use routes::operations;

use std::{sync::Mutex, time::Duration};

use axum::{
    Router,
    extract::{FromRef, State},
    http::StatusCode,
};
use domain::{
    BuildMessage, BuildProgress, BuildReport, ClaimedTenant, Error, JobPhase, JobRef, Outcome,
    Tenant, TenantId, UserId,
};
use lambda::{
    Env,
    aws::Aws,
    config::{ConfigError, millis},
    keys::MasterKeys,
};
use schema::{Document, Limits, Timestamp};
use signature::job_of;
use store::{JobCompletion, StepScope, Store, retry_if_stale};
use web::{Once, RateLimits, Result, Served, Signature, SignedBody, finish, without_mark};

/// The state of the handler.
#[derive(Clone, Debug, FromRef)]
struct Webhook {
    limits: RateLimits,
    store: Store,
    keys: MasterKeys,
    system: UserId,
    /// Maximum difference between the sender's clock and ours.
    tolerance: Duration,
}

/// Returns the router of this function, with the routes that `template.yaml` declares.
///
/// # Errors
///
/// [`ConfigError`] if a variable is missing or malformed.
pub async fn router(env: &Env) -> Result<Router, ConfigError> {
    let aws = Aws::from_env(env)?;
    let store = Store::from_env(env, &aws)?;
    let (keys, ()) = tokio::join!(MasterKeys::load(env, &aws), store.warm());
    let webhook = Webhook {
        limits: RateLimits::from_env(env, "WEBHOOK_API_MAX_ATTEMPTS", 60, &store)?,
        store,
        keys: keys?,
        system: env.required("SYSTEM_USER_ID")?.into(),
        tolerance: millis(env, "WEBHOOK_TOLERANCE", 20_000)?,
    };
    Ok(finish(routes::routes(Served::new(webhook)).into_router()))
}

/// `POST /webhook`: closes the tenant's open job, moves it on to the identity set-up, or records a
/// step of its build. A repeated message has no effect. The signature covers the bytes as sent, so it
/// is checked before the body is validated.
async fn report(
    State(webhook): State<Webhook>,
    once: Once,
    SignedBody { headers, bytes }: SignedBody,
) -> Result<StatusCode> {
    let now = lambda::now();
    let signature = Signature::of(&headers, now, webhook.tolerance)?;
    let body = str::from_utf8(without_mark(&bytes)).ok();
    let body = body.and_then(|text| Document::parse(text.to_owned(), Limits::REPORT).ok());
    let body = body.ok_or(Error::Unauthorized("invalid JSON"))?;
    let ClaimedTenant(id) =
        ClaimedTenant::from_body(body.value()).ok_or(Error::Unauthorized("no initiator"))?;
    let sender = || webhook.sender(id, &signature, &bytes);
    // A forged message must not even take the lock of its idempotency key.
    let first = Mutex::new(Some(sender().await?));
    let taken = || {
        retry_if_stale(|| async {
            let first = first.lock().ok().and_then(|mut first| first.take());
            let (tenant, job) = match first {
                Some(found) => found,
                None => sender().await?,
            };
            match body.read()? {
                BuildMessage::Report(report) => webhook.close(&tenant, &job, &report, now).await,
                BuildMessage::Progress(progress) => {
                    webhook.record(&tenant, &job, progress, signature.time(), now).await
                }
            }
        })
    };
    once.alone(async || Ok(taken().await?)).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Webhook {
    /// Returns the tenant that a message names, and its latest job, whose secret signed the message.
    async fn sender(
        &self,
        id: TenantId,
        signature: &Signature,
        bytes: &[u8],
    ) -> domain::Result<(Tenant, JobRef)> {
        let tenant = self.store.tenant(id).await;
        let tenant = tenant.map_err(Error::unauthorized_if_not_found("unknown tenant"))?;
        let job = job_of(signature, &tenant, bytes, &self.keys)?.clone();
        Ok((tenant, job))
    }

    async fn close(
        &self,
        tenant: &Tenant,
        job: &JobRef,
        report: &BuildReport,
        now: Timestamp,
    ) -> domain::Result<()> {
        if already_closed(job, report)? {
            return Ok(());
        }
        let change = JobCompletion { job, result: &report.result, now, by: &self.system };
        self.store.close_job(tenant.id, &change).await
    }

    /// Records a step of the build. A message that was delayed until its build ended has no effect.
    async fn record(
        &self,
        tenant: &Tenant,
        job: &JobRef,
        progress: BuildProgress,
        sent: Timestamp,
        now: Timestamp,
    ) -> domain::Result<()> {
        if job.kind != progress.kind {
            return Err(Error::OutcomeConflict);
        }
        let step = progress.into_report(sent, now);
        self.store.record_step(tenant.id, job, StepScope::Building, step).await
    }
}

/// Returns whether the job is already closed with the outcome of `report`, or has gone on after it.
///
/// # Errors
///
/// [`Error::OutcomeConflict`] if `report` contradicts the job.
fn already_closed(job: &JobRef, report: &BuildReport) -> domain::Result<bool> {
    if job.kind != report.kind {
        return Err(Error::OutcomeConflict);
    }
    let reported = match job.phase {
        JobPhase::Build => job.outcome,
        JobPhase::Identity => Some(Outcome::Succeeded),
    };
    match reported {
        None => Ok(false),
        Some(outcome) if outcome == report.result.outcome => Ok(true),
        Some(_) => Err(Error::OutcomeConflict),
    }
}
