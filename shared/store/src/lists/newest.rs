use aws_sdk_dynamodb::{operation::query::builders::QueryFluentBuilder, types::AttributeValue};
use serde::de::DeserializeOwned;

use crate::{
    Store,
    lists::{
        found::Found,
        read_budget::{Collected, ReadBudget, weight},
    },
    table::{key::Key, query::QueryPages},
};
use domain::{Child, Details, Entity, Resource, Result, Tenant, TenantId};
use filter::Where;

/// When to stop reading a tenant's children: at the first limit that is reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadLimit {
    /// Maximum number of items.
    pub(crate) items: usize,
    /// Maximum number of bytes, exceeded by at most one item.
    pub(crate) bytes: usize,
}

/// The newest children of a tenant.
#[derive(Debug)]
pub(crate) struct Newest<E> {
    /// The children, newest first.
    pub(crate) found: Vec<Found<E>>,
    /// Number of calls made to read them.
    pub(crate) reads: usize,
    /// Whether these are all.
    pub(crate) complete: bool,
}

impl Store {
    /// Returns the newest children of an existing tenant, strongly consistent.
    pub(crate) async fn newest_children<D: Details>(
        &self,
        tenant: TenantId,
        limit: ReadLimit,
    ) -> Result<Newest<Child<D>>> {
        self.newest(tenant, Key::children(D::KIND), limit, |_| true).await
    }

    /// Returns the newest resources of a tenant, strongly consistent.
    pub(crate) async fn newest_resources(
        &self,
        tenant: &Tenant,
        limit: ReadLimit,
    ) -> Result<Newest<Resource>> {
        let still = |resource: &Resource| tenant.has_resource(resource);
        self.newest(tenant.id, Key::RESOURCES, limit, still).await
    }

    async fn newest<E: Entity + DeserializeOwned>(
        &self,
        tenant: TenantId,
        prefix: &str,
        limit: ReadLimit,
        shows: impl Fn(&E) -> bool,
    ) -> Result<Newest<E>> {
        let query = self.newest_first(tenant, prefix);
        let mut pages = QueryPages::new(query, "reading what a tenant includes");
        let (mut newest, mut bytes) = (Newest { found: Vec::new(), reads: 0, complete: true }, 0);
        while let Some(page) = pages.next_page().await? {
            newest.reads += 1;
            for item in page {
                let Some(stored) = item.decode_active::<E>()?.filter(|it| shows(&it.item)) else {
                    continue;
                };
                if newest.found.len() == limit.items || bytes > limit.bytes {
                    newest.complete = false;
                    return Ok(newest);
                }
                let found = Found::of(stored)?;
                bytes += weight(&found.wire);
                newest.found.push(found);
            }
        }
        Ok(newest)
    }

    /// Returns a tenant's children that match `conditions`, newest first, strongly consistent.
    /// Returns none if there is no such tenant or it was deleted.
    ///
    /// # Errors
    ///
    /// [`Error::FilterTooBroad`](domain::Error::FilterTooBroad) if more would be read or held than one
    /// request may.
    pub(crate) async fn children_of<D: Details>(
        &self,
        tenant: TenantId,
        conditions: &Where,
    ) -> Result<Vec<Found<Child<D>>>> {
        let (tenant, children) = tokio::try_join!(
            self.get_active::<Tenant>(Key::tenant(tenant)),
            self.matching_children(tenant, conditions),
        )?;
        Ok(if tenant.is_some() { children } else { Vec::new() })
    }

    async fn matching_children<D: Details>(
        &self,
        tenant: TenantId,
        conditions: &Where,
    ) -> Result<Vec<Found<Child<D>>>> {
        let (mut budget, mut collected) = (ReadBudget::default(), Collected::default());
        let query = self.newest_first(tenant, Key::children(D::KIND));
        let mut pages = QueryPages::new(query, "reading a tenant's children");
        while let Some(item) = pages.next_item().await? {
            let Some(stored) = item.decode_active()? else { continue };
            let found = Found::of(stored)?;
            budget.add(&found.wire)?;
            if conditions.matches(&found.wire) {
                collected.add(found)?;
            }
        }
        Ok(collected.into_found())
    }

    /// Returns a strongly consistent query for the items with `prefix` in a tenant's partition,
    /// newest first.
    pub(crate) fn newest_first(&self, tenant: TenantId, prefix: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&*self.table)
            .consistent_read(true)
            .scan_index_forward(false)
            .key_condition_expression("pk = :tenant AND begins_with(sk, :prefix)")
            .expression_attribute_values(
                ":tenant",
                AttributeValue::S(Key::tenant_partition(tenant)),
            )
            .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
    }
}
