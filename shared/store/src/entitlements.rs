//! The features that tenants may use.

use aws_sdk_dynamodb::types::{AttributeValue, Put};

use crate::{
    Store,
    table::{
        item::{Item, Stored, encode_version},
        key::Key,
        query::query_page,
        transaction::Transaction,
        update::{AT_VERSION, Update},
    },
};
use domain::{Entitlements, Error, Grants, PlanFeatures, Result, Subscription, Tenant, TenantId};

impl Item for Grants {
    const ENTITY: &'static str = "entitlements";

    fn key(&self) -> Key {
        Key::grants(self.id)
    }
}

/// A tenant, with what was granted to it.
#[derive(Clone, Debug)]
pub struct TenantGrants {
    /// The tenant.
    pub tenant: Stored<Tenant>,
    /// The grants, or `None` if nothing was ever granted.
    pub grants: Option<Stored<Grants>>,
}

impl TenantGrants {
    /// Returns the version of the tenant's entitlements. It grows with every change of the tenant and
    /// of its grants, because both versions only grow.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.tenant.version + self.grants.as_ref().map_or(0, |grants| grants.version)
    }

    /// Returns the tenant's entitlements.
    #[must_use]
    pub fn entitlements(&self) -> Entitlements {
        Entitlements::new(&self.tenant.item, self.grants.as_ref().map(|grants| &grants.item))
    }
}

impl Store {
    /// Returns a tenant with its grants, eventually consistent. Both are next to each other, so this
    /// costs half a unit if they have less than 4 KB together.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such tenant or it was deleted.
    #[tracing::instrument(skip_all, fields(tenant.id = %id))]
    pub async fn entitlements(&self, id: TenantId) -> Result<TenantGrants> {
        self.tenant_and_grants(id, Consistency::Eventual).await
    }

    /// Returns a tenant with its grants before a change, strongly consistent.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such tenant or it was deleted.
    #[tracing::instrument(skip_all, fields(tenant.id = %id))]
    pub async fn grants_to_change(&self, id: TenantId) -> Result<TenantGrants> {
        self.tenant_and_grants(id, Consistency::Strong).await
    }

    async fn tenant_and_grants(
        &self,
        id: TenantId,
        consistency: Consistency,
    ) -> Result<TenantGrants> {
        let query = self
            .client
            .query()
            .table_name(&*self.table)
            .consistent_read(consistency == Consistency::Strong)
            .key_condition_expression("pk = :tenant AND begins_with(sk, :prefix)")
            .expression_attribute_values(":tenant", AttributeValue::S(Key::tenant_partition(id)))
            .expression_attribute_values(":prefix", AttributeValue::S(Key::TENANT.to_owned()));
        let (mut tenant, mut grants) = (None, None);
        for item in query_page(query, "reading a tenant's entitlements").await?.items {
            match item.entity() {
                Some(Tenant::ENTITY) => tenant = item.decode_active::<Tenant>()?,
                Some(Grants::ENTITY) => grants = item.decode_active::<Grants>()?,
                _ => {}
            }
        }
        Ok(TenantGrants { tenant: tenant.ok_or_else(|| Error::not_found(id))?, grants })
    }

    /// Replaces the grants of a tenant by `after`.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the tenant or its grants have changed in the meantime.
    #[tracing::instrument(skip_all, fields(tenant.id = %after.id))]
    pub async fn replace_grants(&self, before: &TenantGrants, after: &Grants) -> Result<()> {
        let TenantGrants { tenant, grants } = before;
        let version = grants.as_ref().map_or(0, |grants| grants.version);
        let put = Put::builder().set_item(Some(encode_version(after, version + 1)?));
        let put = match grants {
            Some(_) => put
                .condition_expression(AT_VERSION)
                .expression_attribute_values(":version", AttributeValue::N(version.to_string())),
            None => put.condition_expression("attribute_not_exists(pk)"),
        };
        self.transaction()
            .put_if(put, Error::Stale)?
            .require_version(tenant.item.key(), tenant.version, Error::Stale)?
            .commit()
            .await
    }
}

impl Transaction<'_> {
    /// Grants the tenant of a subscription the features of its plan, in place of those of an earlier one.
    /// The write of the subscription holds the condition.
    pub(crate) fn grant(self, of: &Subscription, plan: Option<&PlanFeatures>) -> Result<Self> {
        let granted = Update::when("attribute_exists(pk) OR attribute_not_exists(pk)")
            .set("entity", "entity", Grants::ENTITY)
            .set("id", "id", of.tenant_id)
            .set("modifiedOn", "now", of.audit.modified_on)
            .set("modifiedBy", "by", &of.audit.modified_by);
        let granted = match plan {
            Some(plan) => granted.set("#plan", "plan", plan),
            None => granted.remove("#plan"),
        };
        self.update(Key::grants(of.tenant_id), granted, Error::Stale)
    }
}

/// The consistency of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Consistency {
    Eventual,
    Strong,
}
