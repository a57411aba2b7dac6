use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    Store,
    table::{
        index::Index,
        item::{Attributes, Stored, is_deleted},
        key::Key,
        update::Update,
    },
};
use domain::{ChildKind, Editable, Error, Result, Tenant, TenantId, UserId};
use lambda::{
    each::{each, summary},
    fault::Service,
};
use schema::Timestamp;

/// Maximum number of children that are deleted in the tenant's transaction. DynamoDB allows 100
/// writes, one of which is the tenant's, and another the recorded answer.
const IN_ONE_TRANSACTION: usize = 98;

/// Maximum number of configs among these children. DynamoDB allows 4 MB of items in a transaction.
/// A config may have 256 KiB; 98 other children have less than 1 MB together.
const CONFIGS_IN_ONE_TRANSACTION: usize = 12;

/// Number of children that are deleted concurrently.
const AT_ONCE: usize = 8;

/// Time limit for deleting the children of one tenant.
const TIME: Duration = Duration::from_secs(15);

impl Store {
    /// Returns the tenant with this ID and its children that are not deleted, ready to be deleted
    /// together.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such tenant or it was deleted.
    pub async fn tenant_to_delete(&self, id: TenantId) -> Result<TenantDeletion> {
        let (tenant, children) =
            tokio::try_join!(self.stored_tenant(id), self.active_children(id))?;
        Ok(TenantDeletion { tenant, children })
    }

    /// Soft-deletes a tenant and its children. Children that do not fit into the transaction are
    /// deleted by the stream's consumer ([`Store::soft_delete_children`]). Until then, reads by ID skip
    /// them, because their tenant is deleted.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the tenant or a child has changed in the meantime.
    #[tracing::instrument(skip_all, fields(tenant.id = %deletion.tenant.item.id))]
    pub async fn delete_tenant(
        &self,
        deletion: &TenantDeletion,
        now: Timestamp,
        by: &UserId,
    ) -> Result<()> {
        let TenantDeletion { tenant, children } = deletion;
        let deleted = tenant.item.clone().deleted(now, by);
        let mut writes = self.transaction().replace(&deleted, tenant.version, Error::Stale)?;
        for child in in_one_transaction(children) {
            writes =
                writes.update(child.key.clone(), child.soft_deletion(now, by), Error::Stale)?;
        }
        self.invalidating(deleted.id, writes.commit()).await
    }

    /// Soft-deletes the remaining children of a deleted tenant. Idempotent.
    ///
    /// # Errors
    ///
    /// An error of a child that could not be deleted, after all others were tried. Transient
    /// errors, such as [`Error::Stale`] if a child has changed in the meantime, come before
    /// permanent ones.
    #[tracing::instrument(skip_all, fields(tenant.id = %tenant))]
    pub async fn soft_delete_children(
        &self,
        tenant: TenantId,
        now: Timestamp,
        by: &UserId,
    ) -> Result<()> {
        let children = self.active_children(tenant).await?;
        let soft_delete = |child: ActiveChild| {
            self.update(child.key.clone(), child.soft_deletion(now, by), Error::Stale)
        };
        let ended = Box::pin(each(children, AT_ONCE, TIME, soft_delete)).await;
        let failed = ended.iter().filter(|ended| ended.is_err()).count();
        if failed > 0 {
            tracing::error!(failed, "cannot delete children of a tenant");
        }
        summary(ended)
    }

    async fn active_children(&self, tenant: TenantId) -> Result<Vec<ActiveChild>> {
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
            let item = item.map_err(Service::DynamoDb.error("reading a tenant's children"))?;
            children.extend(ActiveChild::of(&item));
        }
        Ok(children)
    }
}

/// A tenant to delete, with its children.
#[derive(Clone, Debug)]
pub struct TenantDeletion {
    /// The tenant to delete.
    pub tenant: Stored<Tenant>,
    children: Vec<ActiveChild>,
}

/// Returns the children that are deleted in the tenant's transaction.
fn in_one_transaction(children: &[ActiveChild]) -> impl Iterator<Item = &ActiveChild> {
    let (configs, others): (Vec<_>, Vec<_>) =
        children.iter().partition(|child| child.key.is_child(ChildKind::Config));
    configs.into_iter().take(CONFIGS_IN_ONE_TRANSACTION).chain(others).take(IN_ONE_TRANSACTION)
}

/// A child that is not deleted.
#[derive(Clone, Debug)]
struct ActiveChild {
    key: Key,
    version: u64,
}

impl ActiveChild {
    /// Returns `None` if the item is deleted or has no version, as claims do.
    fn of(item: &Attributes) -> Option<Self> {
        let version = item.get("version")?.as_n().ok()?.parse().ok()?;
        (!is_deleted(item)).then_some(Self { key: Key::of_item(item)?, version })
    }

    fn soft_deletion(&self, now: Timestamp, by: &UserId) -> Update {
        Update::when("version = :version")
            .given("version", self.version)
            .set("deleted", "deleted", true)
            .set("deletedOn", "now", now)
            .set("deletedBy", "by", by)
            .set("modifiedOn", "now", now)
            .set("modifiedBy", "by", by)
            .remove_index(Index::Kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_deleted_with_their_tenant_fit_into_one_transaction() {
        let tenant = TenantId::generate();
        let children = |kind, many: u64| {
            (0..many).map(move |id| ActiveChild { key: Key::child(kind, tenant, id), version: 1 })
        };
        let (config, contact) = (ChildKind::Config, ChildKind::Contact);
        for (configs, contacts, taken) in [(3, 4, 7), (20, 5, 17), (20, 200, 98), (0, 200, 98)] {
            let all: Vec<_> =
                children(config, configs).chain(children(contact, contacts)).collect();
            let deleted: Vec<_> = in_one_transaction(&all).collect();
            assert_eq!(deleted.len(), taken);
            assert!(deleted.iter().filter(|child| child.key.is_child(config)).count() <= 12);
        }
    }
}
