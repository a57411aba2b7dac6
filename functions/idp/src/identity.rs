use std::fmt;

use domain::{Error, Event, EventType, Job, JobResult, JobState, Outcome, Result, Tiers, UserId};
use lambda::{
    Env, Envelope, Payload,
    aws::Aws,
    config::{ConfigError, tiers},
    dead_letter::EventFailures,
};
use schema::Violation;
use store::{JobCompletion, Store};

use crate::{
    client::Failure,
    providers::{Patience, Providers},
    setup::Setup,
    space::Space,
};

/// Sets up the identity of tenants whose build has succeeded, and closes their jobs.
pub struct Identity {
    store: Store,
    providers: Providers,
    tiers: Tiers,
    system: UserId,
    failures: EventFailures,
}

impl fmt::Debug for Identity {
    /// Shows no fields, because the providers hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

impl Identity {
    /// Reads the variables of the providers, `TIERS` and `SILO_TIERS`, and acts as
    /// `SYSTEM_USER_ID`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a variable is missing or malformed.
    pub async fn new(env: &Env) -> Result<Self, ConfigError> {
        let aws = Aws::from_env(env)?;
        Ok(Self {
            store: Store::from_env(env, &aws)?,
            providers: Box::pin(Providers::from_env(env, &aws)).await?,
            tiers: tiers(env),
            system: env.required("SYSTEM_USER_ID")?.into(),
            failures: EventFailures::from_env(env, &aws)?,
        })
    }

    /// Sets up the tenant of the event. An event that cannot be read goes to the dead-letter queue.
    ///
    /// # Errors
    ///
    /// If a step failed and a retry may succeed.
    pub async fn handle(&self, event: Payload) -> Result<()> {
        self.failures.handle(&event, |event| self.dispatch(event)).await
    }

    async fn dispatch(&self, event: Envelope) -> Result<()> {
        match event.detail_type.parse() {
            Ok(EventType::TenantIdentitySetup) => self.run(&event.read_and_trace()?).await,
            _ => Ok(()),
        }
    }

    /// Sets up the tenant, unless its job has closed in the meantime. Only the job in the table
    /// decides, so an event that is repeated, late or delivered again after a crash does no harm:
    /// the set-up is idempotent, and a job is closed once.
    async fn run(&self, event: &Event) -> Result<()> {
        let (Some(tenant), Some(job)) = (&event.tenant, &event.job) else { return Ok(()) };
        let job = self.store.job(tenant.id, job.attempt, job.id).await?;
        let Some(job) = job.filter(|job| job.state == JobState::SettingUpIdentity) else {
            return Ok(());
        };
        let result = match self.set_up(&job).await {
            Ok(()) => JobResult {
                outcome: Outcome::Succeeded,
                reason: None,
                resources: Vec::new(),
                app_plane_url: None,
            },
            Err(error) => {
                let reason = lasting(&error).ok_or(error)?;
                tracing::warn!(reason, "the identity set-up failed");
                JobResult::unsuccessful(Outcome::Failed, reason)
            }
        };
        let reference = &job.reference();
        let (now, by) = (lambda::now(), &self.system);
        let change = JobCompletion { job: reference, result: &result, now, by };
        match self.store.close_job(job.tenant_id, &change).await {
            Err(Error::Stale) => Ok(()),
            closed => closed,
        }
    }

    async fn set_up(&self, job: &Job) -> Result<()> {
        let Some(provider) = job.identity_provider else { return Ok(()) };
        let setup = Setup::of_job(job).ok_or_else(|| Failure::Nobody.at("finding the admin"))?;
        let setup = setup.in_tier_of(&self.tiers)?;
        let space = Space::of(&setup, setup.isolation(&self.tiers));
        let (store, patience) = (&self.store, Patience::OF_AN_EVENT);
        self.providers.set_up(provider, &setup, &space, store, patience).await.map(drop)
    }
}

/// Returns the reason to store in the job if a repetition would fail in the same way. It names the
/// step or the refused values, and never quotes the provider.
fn lasting(error: &Error) -> Option<String> {
    let cause = match error {
        Error::Invalid(violations) => violations.iter().map(refused).collect::<Vec<_>>().join("; "),
        Error::Upstream { step, source } => {
            let failure = source.downcast_ref::<Failure>().filter(|cause| cause.is_permanent())?;
            format!("{step}: {failure}")
        }
        _ => return None,
    };
    Some(format!("The identity set-up failed: {cause}"))
}

/// Names a refused value, and the step if a provider refused it.
fn refused(Violation { path, message, info, .. }: &Violation) -> String {
    let field = path.rsplit('/').next().unwrap_or(path);
    let step = info["step"].as_str().map(|step| format!("{step}: ")).unwrap_or_default();
    format!("{step}`{field}` {message}")
}
