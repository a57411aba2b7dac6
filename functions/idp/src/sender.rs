use domain::{Error, JobRef, Result, TenantKey};
use lambda::{
    Env,
    aws::Aws,
    config::ConfigError,
    keys::{MasterKeys, check_strength, is_signature, secret},
};
use secrecy::SecretString;
use serde_json::Value;
use store::Store;
use web::{Signature, without_mark};

use crate::setup::{ClaimedTenant, Setup};

/// The variable that holds the secret of a facade.
const FACADE: &str = "IDP_WEBHOOK_SECRET";

/// The secrets that may sign a request.
#[derive(Clone)]
pub(crate) struct Senders {
    keys: MasterKeys,
    /// `IDP_WEBHOOK_SECRET`.
    facade: Option<SecretString>,
}

/// The sender of a signed request.
pub(crate) enum Sender {
    /// May set up any tenant.
    Facade,
    /// May set up the tenant whose ID it sent, with this key.
    Tenant(TenantKey),
}

impl Senders {
    pub(crate) async fn from_env(env: &Env, aws: &Aws) -> Result<Self, ConfigError> {
        let facade = secret(env, aws, FACADE);
        let (keys, facade) = tokio::join!(MasterKeys::load(env, aws), facade);
        let facade = facade?;
        facade.iter().try_for_each(|secret| check_strength(FACADE, secret))?;
        Ok(Self { keys: keys?, facade })
    }

    /// Returns the sender that signed `body`: the facade, or the tenant with its own secret or with
    /// that of its latest job, which ARC SaaS's orchestrator uses.
    pub(crate) async fn of(
        &self,
        signature: &Signature,
        body: &[u8],
        store: &Store,
    ) -> Result<Sender> {
        let message = [body, signature.timestamp()];
        let is_facade = |secret: &SecretString| is_signature(secret, &message, signature.mac());
        if self.facade.as_ref().is_some_and(is_facade) {
            return Ok(Sender::Facade);
        }
        let value = serde_json::from_slice::<Value>(without_mark(body)).unwrap_or_default();
        let ClaimedTenant(id) = ClaimedTenant::from_body(&value);
        let id = id.ok_or(Error::Unauthorized("no tenant ID"))?;
        let tenant = store.tenant(id).await;
        let tenant = tenant.map_err(Error::unauthorized_if_not_found("unknown tenant"))?;
        let is_of_job =
            |job: &JobRef| self.keys.is_webhook_signature(id, job.id, &message, signature.mac());
        let genuine = self.keys.is_idp_signature(id, &message, signature.mac())
            || tenant.latest_job.as_ref().is_some_and(is_of_job);
        genuine
            .then_some(Sender::Tenant(tenant.key))
            .ok_or(Error::Unauthorized("invalid signature"))
    }
}

impl Sender {
    /// Checks that the sender may set up this tenant, so that nobody becomes an admin of another
    /// tenant's space.
    pub(crate) fn may_set_up(&self, setup: &Setup) -> Result<()> {
        match self {
            Self::Tenant(key) if *key != setup.tenant.key => Err(Error::TenantKeyMismatch),
            Self::Tenant(_) | Self::Facade => Ok(()),
        }
    }
}
