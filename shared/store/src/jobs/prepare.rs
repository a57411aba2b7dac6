use serde::Deserialize;

use crate::{
    Store,
    children::write::CONFIG_KEY_ENTITY,
    table::{
        item::{Item, Stored},
        key::Key,
    },
};
use domain::{
    ChildKind, ConfigValue, Contact, IdentityProvider, Job, Result, Subscription, Tenant,
    TenantConfig, TenantConfigId, TenantId,
};

/// A tenant with everything that its next job is opened from.
#[derive(Debug)]
pub struct TenantToBuild {
    /// The tenant.
    pub tenant: Stored<Tenant>,
    /// Its contacts.
    pub contacts: Vec<Contact>,
    /// Its earlier jobs, newest first.
    pub jobs: Vec<Job>,
    /// Its subscription that has not ended.
    pub current: Option<Stored<Subscription>>,
    /// Its configuration [`IdentityProvider::CONFIG_KEY`].
    pub identity: Option<ConfigValue>,
}

/// The claim on the key of a configuration.
#[derive(Debug, Deserialize)]
struct ConfigClaim {
    holder: TenantConfigId,
}

impl Store {
    /// Returns everything that the next job of a tenant is opened from, in one read. A tenant that has
    /// configured its identity provider takes a second one.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`](domain::Error::NotFound) if there is no such tenant or it was deleted.
    #[tracing::instrument(skip_all, fields(tenant.id = %id))]
    pub async fn tenant_to_build(&self, id: TenantId) -> Result<TenantToBuild> {
        // The claims on keys of configurations come before the contacts.
        let start = Key::config_key(id, IdentityProvider::CONFIG_KEY);
        let kinds = [CONFIG_KEY_ENTITY, Contact::ENTITY, Job::ENTITY, Subscription::ENTITY];
        let (tenant, items) = self.tenant_and(id, start.sort_key(), &kinds).await?;
        let (mut contacts, mut jobs, mut claim, mut current) = (Vec::new(), Vec::new(), None, None);
        for item in items {
            match item.entity() {
                Some(Job::ENTITY) => jobs.push(item.decode()?),
                Some(Subscription::ENTITY) => {
                    let found: Option<Stored<Subscription>> = item.decode_active()?;
                    current = current.or(found.filter(|found| found.item.is_current()));
                }
                Some(Contact::ENTITY) => contacts.push(item.decode()?),
                _ if item.key().as_ref() == Some(&start) => claim = Some(item.decode()?),
                _ => {}
            }
        }
        jobs.reverse();
        let identity = match claim {
            Some(ConfigClaim { holder, .. }) => self.config_value(id, holder).await?,
            None => None,
        };
        Ok(TenantToBuild { tenant, contacts, jobs, current, identity })
    }

    async fn config_value(
        &self,
        tenant: TenantId,
        id: TenantConfigId,
    ) -> Result<Option<ConfigValue>> {
        let key = Key::child(ChildKind::Config, tenant, id);
        let config = self.get_active::<TenantConfig>(key).await?;
        Ok(config.map(|stored| stored.item.details.config_value))
    }
}
