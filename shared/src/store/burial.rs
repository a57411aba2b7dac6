use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    Key, Store, Stored,
    changes::Changes,
    item::{Attributes, is_deleted},
};
use crate::{
    Error, Result,
    domain::{ChildKind, Editable, Tenant, TenantId, Timestamp, UserId},
    each::{each, summary},
    fault::Service,
};

/// The most children that are deleted in one transaction with their tenant: 100 writes (AWS limit),
/// one of which is the tenant's.
const WITH_THE_TENANT: usize = 99;

/// The most configurations among them: a transaction takes 4 MB (AWS limit) of items, a configuration
/// may have 256 KiB, and of the other children 99 have less than one.
const CONFIGS_WITH_THE_TENANT: usize = 12;

/// How many children are deleted at once.
const AT_ONCE: usize = 8;

/// For how long children of one tenant are deleted before the caller is told.
const TIME: Duration = Duration::from_secs(15);

impl Store {
    /// The tenant with this id and what of its children is not deleted, to delete them together.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where there is none, or it is deleted.
    pub async fn tenant_to_delete(&self, id: TenantId) -> Result<Doomed> {
        let (tenant, children) =
            tokio::try_join!(self.stored_tenant(id), self.living_children(id))?;
        Ok(Doomed { tenant, children })
    }

    /// Deletes a tenant with its children. More than fit into one transaction follow when the stream's
    /// consumer hears of it ([`Store::bury_children`]); by their ids they are gone at once.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] where the tenant or a child has changed in the meantime.
    #[tracing::instrument(skip_all, fields(tenant.id = %doomed.tenant.item.id))]
    pub async fn delete_tenant(&self, doomed: &Doomed, now: Timestamp, by: &UserId) -> Result<()> {
        let Doomed { tenant, children } = doomed;
        let deleted = tenant.item.clone().deleted(now, by);
        let mut writes = self.transaction().replace(&deleted, tenant.version, Error::Stale)?;
        for child in with_the_tenant(children) {
            writes = writes.update(child.key.clone(), child.burial(now, by), Error::Stale)?;
        }
        self.forgetting(deleted.id, writes.commit()).await
    }

    /// Deletes what is left of a deleted tenant's children. Doing it again changes nothing.
    ///
    /// # Errors
    ///
    /// If a child could not be deleted, after all others were: a transient failure, such as
    /// [`Error::Stale`] if the child has changed in the meantime, before a permanent one.
    #[tracing::instrument(skip_all, fields(tenant.id = %tenant))]
    pub async fn bury_children(&self, tenant: TenantId, now: Timestamp, by: &UserId) -> Result<()> {
        let children = self.living_children(tenant).await?;
        let bury = |child: LivingChild| {
            self.change(child.key.clone(), child.burial(now, by), Error::Stale)
        };
        let ended = Box::pin(each(children, AT_ONCE, TIME, bury)).await;
        let failed = ended.iter().filter(|ended| ended.is_err()).count();
        if failed > 0 {
            tracing::error!(failed, "children cannot be deleted");
        }
        summary(ended)
    }

    async fn living_children(&self, tenant: TenantId) -> Result<Vec<LivingChild>> {
        let (first, last) = Key::ALL_CHILDREN;
        let mut pages = self
            .client
            .query()
            .table_name(&*self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :tenant AND sk BETWEEN :first AND :last")
            .projection_expression("pk, sk, deleted, version")
            .expression_attribute_values(
                ":tenant",
                AttributeValue::S(Key::tenant_partition(tenant)),
            )
            .expression_attribute_values(":first", AttributeValue::S(first.to_owned()))
            .expression_attribute_values(":last", AttributeValue::S(last.to_owned()))
            .into_paginator()
            .items()
            .send();
        let mut children = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(Error::of(Service::DynamoDb, "reading a tenant's children"))?;
            children.extend(LivingChild::of(&item));
        }
        Ok(children)
    }
}

/// A tenant that is to be deleted, with its children.
#[derive(Clone, Debug)]
pub struct Doomed {
    /// The tenant.
    pub tenant: Stored<Tenant>,
    children: Vec<LivingChild>,
}

/// Those of `children` that are deleted in one transaction with their tenant.
fn with_the_tenant(children: &[LivingChild]) -> impl Iterator<Item = &LivingChild> {
    let (configs, others): (Vec<_>, Vec<_>) =
        children.iter().partition(|child| child.key.is_child(ChildKind::Config));
    configs.into_iter().take(CONFIGS_WITH_THE_TENANT).chain(others).take(WITH_THE_TENANT)
}

/// A child that is not deleted.
#[derive(Clone, Debug)]
struct LivingChild {
    key: Key,
    version: u64,
}

impl LivingChild {
    /// `None` for what has no version or is deleted: claims, and the dead.
    fn of(item: &Attributes) -> Option<Self> {
        let version = item.get("version")?.as_n().ok()?.parse().ok()?;
        (!is_deleted(item)).then_some(Self { key: Key::of_item(item)?, version })
    }

    fn burial(&self, now: Timestamp, by: &UserId) -> Changes {
        Changes::when("version = :version")
            .given("version", self.version)
            .set("deleted", "deleted", true)
            .set("deletedOn", "now", now)
            .set("deletedBy", "by", by)
            .set("modifiedOn", "now", now)
            .set("modifiedBy", "by", by)
            .remove("gsi1pk")
            .remove("gsi1sk")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_deleted_with_a_tenant_fits_into_one_transaction() {
        let tenant = TenantId::mint();
        let children = |kind, many: u64| {
            (0..many).map(move |id| LivingChild { key: Key::child(kind, tenant, id), version: 1 })
        };
        let (config, contact) = (ChildKind::Config, ChildKind::Contact);
        for (configs, contacts, taken) in [(3, 4, 7), (20, 5, 17), (20, 200, 99), (0, 200, 99)] {
            let all: Vec<_> =
                children(config, configs).chain(children(contact, contacts)).collect();
            let buried: Vec<_> = with_the_tenant(&all).collect();
            assert_eq!(buried.len(), taken);
            assert!(buried.iter().filter(|child| child.key.is_child(config)).count() <= 12);
        }
    }
}
