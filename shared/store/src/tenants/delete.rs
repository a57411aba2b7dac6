use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    Store,
    subscriptions::read::{CURRENT_ENTITY, CurrentSubscription},
    table::{
        index::Index, item::Stored, key::Key, query::query_all, raw_item::RawItem, update::Update,
    },
};
use domain::{
    ChildKind, Context, Editable, Error, Result, Subscription, SubscriptionId, Tenant, TenantId,
    UserId,
};
use lambda::each::{each, summary};
use schema::Timestamp;

/// Maximum number of children that are deleted in the tenant's transaction. DynamoDB allows 100
/// writes, one of which is the tenant's, and another the recorded answer.
const IN_ONE_TRANSACTION: usize = 98;

/// Maximum number of writes for the current subscription.
const WITH_SUBSCRIPTION: usize = 12;

/// Maximum number of configs among these children. DynamoDB allows 4 MB of items in a transaction.
/// A config has up to 102,400 bytes of JSON; 98 other children have less than 1 MB together.
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
        let (tenant, (children, current)) =
            tokio::try_join!(self.stored_tenant(id), self.active_children(id))?;
        let current = match current {
            Some(current) => self.get_active(Key::subscription(id, current)).await?,
            None => None,
        };
        Ok(TenantDeletion { tenant, children, current })
    }

    /// Soft-deletes a tenant, its current subscription, which is cancelled, and its children. Children
    /// that do not fit into the transaction are deleted by the stream's consumer
    /// ([`Store::soft_delete_children`]). Until then, reads by ID skip them, because their tenant is
    /// deleted.
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
        let TenantDeletion { tenant, children, current } = deletion;
        let deleted = tenant.item.clone().deleted(now, by);
        let mut writes = self.transaction().replace(&deleted, tenant.version, Error::Stale)?;
        let mut room = IN_ONE_TRANSACTION;
        if let Some(current) = current {
            let standing = tenant.item.standing();
            let at = Context { tenant: standing, now, by };
            if let Some(mut closed) = current.item.clone().close(at) {
                closed.subscription = closed.subscription.deleted(now, by);
                writes = writes.decided(Some(current), &closed, None)?;
                room -= WITH_SUBSCRIPTION;
            }
        }
        for child in in_one_transaction(children, room) {
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
        let (mut children, _) = self.active_children(tenant).await?;
        let (first, last) = (Key::SUBSCRIPTIONS.to_owned(), Key::SUBSCRIPTIONS.replace('#', "$"));
        children.extend(self.active_between(tenant, (&first, &last)).await?.0);
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

    /// Returns the children that are not deleted, and the ID of the current subscription.
    async fn active_children(
        &self,
        tenant: TenantId,
    ) -> Result<(Vec<ActiveChild>, Option<SubscriptionId>)> {
        self.active_between(tenant, Key::ALL_CHILDREN).await
    }

    async fn active_between(
        &self,
        tenant: TenantId,
        (first, last): (&str, &str),
    ) -> Result<(Vec<ActiveChild>, Option<SubscriptionId>)> {
        let query = self
            .client
            .query()
            .table_name(&*self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :tenant AND sk BETWEEN :first AND :last")
            .projection_expression("pk, sk, entity, holder, deleted, version")
            .expression_attribute_values(
                ":tenant",
                AttributeValue::S(Key::tenant_partition(tenant)),
            )
            .expression_attribute_values(":first", AttributeValue::S(first.to_owned()))
            .expression_attribute_values(":last", AttributeValue::S(last.to_owned()));
        let (mut children, mut current) = (Vec::new(), None);
        for item in query_all(query, "reading a tenant's children").await? {
            if item.entity() == Some(CURRENT_ENTITY) {
                current = Some(item.decode::<CurrentSubscription>()?.holder);
            } else {
                children.extend(ActiveChild::of(&item));
            }
        }
        Ok((children, current))
    }
}

/// A tenant to delete, with its children.
#[derive(Clone, Debug)]
pub struct TenantDeletion {
    /// The tenant to delete.
    pub tenant: Stored<Tenant>,
    children: Vec<ActiveChild>,
    current: Option<Stored<Subscription>>,
}

/// Returns the children that are deleted in the tenant's transaction.
fn in_one_transaction(children: &[ActiveChild], room: usize) -> impl Iterator<Item = &ActiveChild> {
    let (configs, others): (Vec<_>, Vec<_>) =
        children.iter().partition(|child| child.key.is_child(ChildKind::Config));
    configs.into_iter().take(CONFIGS_IN_ONE_TRANSACTION).chain(others).take(room)
}

/// A child that is not deleted.
#[derive(Clone, Debug)]
struct ActiveChild {
    key: Key,
    version: u64,
}

impl ActiveChild {
    /// Returns `None` if the item is deleted or has no version, as claims do.
    fn of(item: &RawItem) -> Option<Self> {
        let (key, version) = item.key().zip(item.version())?;
        (!item.is_deleted()).then_some(Self { key, version })
    }

    fn soft_deletion(&self, now: Timestamp, by: &UserId) -> Update {
        Update::when("version = :version")
            .given("version", self.version)
            .set("deleted", "deleted", true)
            .set("deletedOn", "now", now)
            .set("deletedBy", "by", by)
            .set("modifiedOn", "now", now)
            .set("modifiedBy", "by", by)
            // The events of an ended subscription belong to the version that ended it.
            .remove("events")
            .remove("requestId")
            .remove_index(Index::Kind)
            .remove_index(Index::Value)
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
            let deleted: Vec<_> = in_one_transaction(&all, IN_ONE_TRANSACTION).collect();
            assert_eq!(deleted.len(), taken);
            assert!(deleted.iter().filter(|child| child.key.is_child(config)).count() <= 12);
        }
    }
}
