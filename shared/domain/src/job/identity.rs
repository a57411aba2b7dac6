//! The set-up of a tenant at its identity provider, the last step of a provisioning job.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use strum::{Display, EnumString, VariantArray};

use crate::{
    ConfigValue, Contact, Error, Isolation, Job, JobKind, JobRef, JobState, Outcome, Refusal,
    Result, Step, SubscriptionId, Tenant, Transition, UserId, Word, Work, refusal::allow_if,
};
use schema::{FromJson, Reader, Timestamp, Violation};

/// The time limit of an identity set-up. Three attempts and a redrive of the event fit into it.
pub const IDENTITY_TIME_LIMIT: Duration = Duration::from_secs(15 * 60);

/// A supported identity provider.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Display, EnumString, VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum IdentityProvider {
    /// Auth0.
    Auth0,
    /// Keycloak.
    Keycloak,
    /// Cognito.
    Cognito,
}

/// The part of its work that an open job is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobPhase {
    /// The pipeline builds or removes resources.
    #[default]
    Build,
    /// The resources exist, and the tenant is set up at its identity provider.
    Identity,
}

impl Word for IdentityProvider {}

impl IdentityProvider {
    /// The key of the configuration that names a tenant's provider.
    pub const CONFIG_KEY: &str = "identityProvider";

    /// The `provider` of a tenant that is set up at no provider.
    const NONE: &str = "none";

    /// Reads the configuration [`Self::CONFIG_KEY`] of a tenant. `None` means that the tenant is
    /// set up at no provider.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the configuration names no known provider.
    pub fn of_config(config: &ConfigValue) -> Result<Option<Self>> {
        let provider = config.member("provider");
        let name = provider.as_ref().and_then(Value::as_str).unwrap_or_default();
        match name.parse() {
            Ok(provider) => Ok(Some(provider)),
            Err(_) if name == Self::NONE => Ok(None),
            Err(_) => {
                let mut names: Vec<_> = Self::VARIANTS.iter().map(ToString::to_string).collect();
                names.push(Self::NONE.to_owned());
                let key = Self::CONFIG_KEY;
                let names_listed = names.join(", ");
                Err(Error::Invalid(vec![Violation {
                    path: String::new(),
                    code: "enum",
                    message: format!(
                        "`provider` in the tenant's configuration `{key}` must be one of {names_listed}"
                    ),
                    info: json!({ "configKey": key, "allowedValues": names }),
                }]))
            }
        }
    }
}

impl FromJson for IdentityProvider {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let provider = value.as_str().and_then(|name| name.parse().ok());
        if provider.is_none() {
            at.not_allowed(&json!(Self::VARIANTS));
        }
        provider
    }

    fn schema() -> Value {
        <Self as Word>::schema()
    }
}

impl JobPhase {
    /// Returns whether this is the phase of a job without identity set-up.
    pub(crate) fn is_build(&self) -> bool {
        *self == Self::Build
    }
}

impl JobState {
    /// Returns the phase of an open job in this state.
    #[must_use]
    pub fn phase(self) -> JobPhase {
        match self {
            Self::SettingUpIdentity => JobPhase::Identity,
            Self::Queued | Self::Running | Self::Succeeded | Self::Failed | Self::TimedOut => {
                JobPhase::Build
            }
        }
    }
}

impl JobRef {
    /// Returns whether the job goes on to the identity set-up when its build has this outcome.
    #[must_use]
    pub fn continues_after(&self, outcome: Outcome) -> bool {
        let has_built = outcome == Outcome::Succeeded && self.phase == JobPhase::Build;
        has_built && self.kind == JobKind::Provision && self.identity_provider.is_some()
    }
}

impl Tenant {
    /// Checks that the tenant's identity set-up may be resumed: it was what failed in the latest
    /// job, so the resources exist.
    ///
    /// # Errors
    ///
    /// [`Error::IllegalTransition`] otherwise.
    pub fn check_identity_resumable(&self) -> Result<()> {
        let (from, transition) = (self.status, Transition::ResumeIdentity);
        from.after(transition)?;
        let failed = self.latest_job.as_ref().is_some_and(|job| job.phase == JobPhase::Identity);
        if failed { Ok(()) } else { Err(Error::IllegalTransition { from, transition }) }
    }
}

impl Job {
    /// Checks that the subscription that the job was opened for is still `current`. Otherwise the tenant
    /// would be active without one.
    ///
    /// # Errors
    ///
    /// [`Refusal::SubscriptionState`] if the subscription has ended.
    pub fn check_subscription(&self, current: Option<SubscriptionId>) -> Result<(), Refusal> {
        let is_current = self.subscription_id.is_none() || self.subscription_id == current;
        allow_if(
            is_current,
            Refusal::SubscriptionState("The subscription has ended. Provision the tenant again."),
        )
    }

    /// Opens a job that only repeats the identity set-up of this failed one, at `provider`. Without
    /// a provider, the job has nothing left to do and succeeds.
    ///
    /// # Errors
    ///
    /// As [`Job::open`].
    pub fn resume_identity(
        &self,
        tenant: &Tenant,
        contacts: Vec<Contact>,
        provider: Option<IdentityProvider>,
        now: Timestamp,
        by: &UserId,
    ) -> Result<Self> {
        let (subscription, isolation): (_, Isolation) = (self.subscription.clone(), self.isolation);
        let kind = JobKind::Provision;
        let work = Work { kind, subscription, isolation, identity_provider: provider };
        let state = JobState::SettingUpIdentity;
        Ok(Self {
            state,
            steps: vec![Step { name: state, time: now }],
            app_plane_url: self.app_plane_url.clone(),
            ..Self::open(tenant, contacts, work, IDENTITY_TIME_LIMIT, now, by)?
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::tests::job;
    use schema::read;

    #[test]
    fn a_configuration_names_a_provider_or_none() {
        let of = |config: Value| IdentityProvider::of_config(&read(&config).unwrap());
        let keycloak = json!({ "provider": "keycloak", "theme": 1 });
        assert_eq!(of(keycloak).unwrap(), Some(IdentityProvider::Keycloak));
        assert_eq!(of(json!({ "provider": "none" })).unwrap(), None);
        for bad in [json!({}), json!({ "provider": "okta" }), json!({ "provider": 1 })] {
            let Err(Error::Invalid(violations)) = of(bad) else { panic!() };
            assert_eq!(
                violations[0].message,
                "`provider` in the tenant's configuration `identityProvider` must be one of auth0, \
                 keycloak, cognito, none"
            );
        }
    }

    #[test]
    fn a_reference_tells_the_identity_set_up_from_the_build() {
        let job = job(JobKind::Provision, crate::now());
        for state in JobState::VARIANTS.iter().copied() {
            let is_identity = state == JobState::SettingUpIdentity;
            let job = Job { state, ..job.clone() };
            assert_eq!(job.is_building(), job.is_open() && !is_identity, "{state}");
            let reference = job.reference();
            let phase = if is_identity { JobPhase::Identity } else { JobPhase::Build };
            assert_eq!(reference.phase, phase, "{state}");
            let stored = serde_json::to_value(&reference).unwrap();
            assert_eq!(stored.get("phase").is_some(), is_identity, "{state}");
            assert_eq!(serde_json::from_value::<JobRef>(stored).unwrap(), reference, "{state}");
        }
    }
}
