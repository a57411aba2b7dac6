use std::time::Duration;

use domain::{Error, IdentityProvider, Result};
use lambda::{Env, aws::Aws, config::ConfigError};
use schema::Violation;
use serde_json::json;
use store::{Claim, Store};

use crate::{
    auth0::Auth0, client::Failure, cognito::Cognito, keycloak::Keycloak, setup::Setup, space::Space,
};

/// The time limit of a set-up.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// How long a set-up may hold the lock on a space: longer than [`TIME_LIMIT`].
const LEASE: Duration = Duration::from_secs(30);

/// How long a set-up waits for the lock on a space.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    attempts: u32,
    pause: Duration,
}

impl Patience {
    /// The patience of a client of the API: 5 s.
    pub(crate) const OF_A_CLIENT: Self = Self { attempts: 20, pause: Duration::from_millis(250) };

    /// The patience of an event: 75 s, because many tenants of one tier may be built at once.
    pub(crate) const OF_AN_EVENT: Self = Self { attempts: 75, pause: Duration::from_secs(1) };
}

/// The configured identity providers.
#[derive(Clone)]
pub(crate) struct Providers {
    auth0: Option<Auth0>,
    keycloak: Option<Keycloak>,
    cognito: Option<Cognito>,
}

impl Providers {
    /// Reads the variables of each provider. A provider is configured if its first variable is set.
    pub(crate) async fn from_env(env: &Env, aws: &Aws) -> Result<Self, ConfigError> {
        let (auth0, keycloak) =
            tokio::join!(Auth0::from_env(env, aws), Keycloak::from_env(env, aws));
        Ok(Self { auth0: auth0?, keycloak: keycloak?, cognito: Cognito::from_env(env, aws)? })
    }

    /// Sets up the tenant at `provider` and returns the ID of its admin there. Idempotent.
    ///
    /// A lock admits one set-up at a time to a space, because not every provider rejects
    /// duplicates.
    pub(crate) async fn set_up(
        &self,
        provider: IdentityProvider,
        setup: &Setup,
        space: &Space,
        store: &Store,
        patience: Patience,
    ) -> Result<String> {
        self.must_have(provider)?;
        let held = format!("{provider}#{}", space.name);
        lock(store, &held, patience).await?;
        let done = tokio::time::timeout(TIME_LIMIT, self.call(provider, setup, space)).await;
        // If this fails, the lock expires.
        let _ = store.release_event("idp", &held, lambda::now()).await;
        done.unwrap_or_else(|_| Err(Failure::Late.at("setting up the tenant")))
    }

    async fn call(
        &self,
        provider: IdentityProvider,
        setup: &Setup,
        space: &Space,
    ) -> Result<String> {
        let missing = || self.not_configured();
        match provider {
            IdentityProvider::Auth0 => {
                let auth0 = self.auth0.as_ref().ok_or_else(missing)?;
                Box::pin(auth0.set_up(setup, space)).await
            }
            IdentityProvider::Keycloak => {
                let keycloak = self.keycloak.as_ref().ok_or_else(missing)?;
                Box::pin(keycloak.set_up(setup, space)).await
            }
            IdentityProvider::Cognito => {
                let cognito = self.cognito.as_ref().ok_or_else(missing)?;
                Box::pin(cognito.set_up(setup, space)).await
            }
        }
    }

    fn must_have(&self, provider: IdentityProvider) -> Result<()> {
        self.configured().contains(&provider).then_some(()).ok_or_else(|| self.not_configured())
    }

    fn configured(&self) -> Vec<IdentityProvider> {
        let auth0 = self.auth0.as_ref().map(|_| IdentityProvider::Auth0);
        let keycloak = self.keycloak.as_ref().map(|_| IdentityProvider::Keycloak);
        let cognito = self.cognito.as_ref().map(|_| IdentityProvider::Cognito);
        [auth0, keycloak, cognito].into_iter().flatten().collect()
    }

    fn not_configured(&self) -> Error {
        let names: Vec<_> = self.configured().iter().map(ToString::to_string).collect();
        Error::Invalid(vec![Violation {
            path: "/tenant/identityProvider".to_owned(),
            code: "enum",
            message: "is not configured".to_owned(),
            info: json!({ "allowedValues": names }),
        }])
    }
}

/// Locks the space. Waits while another set-up holds the lock.
async fn lock(store: &Store, held: &str, patience: Patience) -> Result<()> {
    for _ in 0..patience.attempts {
        if store.claim_event("idp", held, lambda::now(), LEASE).await? == Claim::Ours {
            return Ok(());
        }
        tokio::time::sleep(patience.pause).await;
    }
    Err(Error::Busy("another set-up is using this space"))
}
