use aws_sdk_dynamodb::types::AttributeValue;

use super::{Cursor, IndexKey, Item, Key, Page, Store, changes::Changes, item::Attributes};
use crate::{
    Error, Result,
    domain::{Contact, Onboarding, Resource, Tenant, TenantId},
};

impl Item for Tenant {
    const KIND: &'static str = "tenant";

    fn key(&self) -> Key {
        Key::tenant(self.id)
    }

    fn indexes(&self) -> Vec<IndexKey> {
        let order = self.audit.created_on;
        let status = IndexKey::tenants_of_status(self.status.number());
        vec![
            IndexKey::listed(Self::KIND, order, self.id),
            IndexKey::narrowed(status, order, self.id),
        ]
    }
}

impl Item for Contact {
    const KIND: &'static str = "contact";

    fn key(&self) -> Key {
        Key::contact(self.tenant_id, self.id)
    }

    fn indexes(&self) -> Vec<IndexKey> {
        vec![IndexKey::listed(Self::KIND, self.audit.created_on, self.id)]
    }
}

impl Item for Resource {
    const KIND: &'static str = "resource";

    fn key(&self) -> Key {
        Key::resource(self.tenant_id, self.id)
    }
}

impl Store {
    /// The tenant with this id.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where there is none, or it is deleted.
    #[tracing::instrument(skip_all, fields(tenant.id = %id))]
    pub async fn tenant(&self, id: TenantId) -> Result<Tenant> {
        let tenant: Option<Tenant> = self.get(Key::tenant(id)).await?;
        tenant.filter(|tenant| !tenant.audit.deleted).ok_or_else(|| Error::not_found("Tenant", id))
    }

    /// The tenant with this id and its contacts, in one read.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where there is none, or it is deleted.
    #[tracing::instrument(skip_all, fields(tenant.id = %id))]
    pub async fn tenant_with_contacts(&self, id: TenantId) -> Result<(Tenant, Vec<Contact>)> {
        self.tenant_with(id, Key::CONTACTS).await
    }

    /// Writes a tenant and its first contact, claims its key, and closes the lead it came from.
    ///
    /// # Errors
    ///
    /// [`Error::LeadAlreadyConverted`] where the lead has a tenant, [`Error::TenantKeyTaken`].
    #[tracing::instrument(skip_all, fields(tenant.id = %onboarding.tenant.id))]
    pub async fn onboard(&self, onboarding: &Onboarding) -> Result<()> {
        let Onboarding { tenant, contact } = onboarding;
        let mut writes = self.transaction();
        // The lead comes first: of several refusals the first one is told.
        if let Some(lead) = tenant.lead_id {
            let converted = Changes::when(
                "isValidated = :yes AND deleted = :no AND attribute_not_exists(tenantId)",
            )
            .given("yes", true)
            .given("no", false)
            .set("tenantId", "tenant", tenant.id)
            .set("modifiedOn", "now", tenant.audit.created_on)
            .set("modifiedBy", "by", &tenant.audit.created_by);
            writes = writes.update(Key::lead(lead), converted, Error::LeadAlreadyConverted)?;
        }
        let taken = Error::TenantKeyTaken(tenant.key.clone());
        writes
            .claim(Key::tenant_key(&tenant.key), owned_by(tenant.id, "tenant-key"), taken)?
            .insert(tenant)?
            .insert(contact)?
            .place(Key::contact_owner(contact.id), owned_by(tenant.id, "contact-owner"))?
            .commit()
            .await
    }

    /// The tenant with this id and what provisioning reported of it, in one read.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where there is no such tenant, or it is deleted.
    #[tracing::instrument(skip_all, fields(tenant.id = %id))]
    pub async fn tenant_with_resources(&self, id: TenantId) -> Result<(Tenant, Vec<Resource>)> {
        self.tenant_with(id, Key::RESOURCES).await
    }

    /// Up to `limit` tenants, newest first, from `after` on.
    pub async fn tenants(&self, limit: u16, after: Option<&Cursor>) -> Result<Page<Tenant>> {
        self.list(Tenant::KIND, limit, after).await
    }
}

/// The attributes of an item that only says whose something is.
fn owned_by(tenant: TenantId, kind: &str) -> Attributes {
    [
        ("entity".into(), AttributeValue::S(kind.into())),
        ("tenantId".into(), AttributeValue::S(tenant.to_string())),
    ]
    .into()
}
