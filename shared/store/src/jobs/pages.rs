use aws_sdk_dynamodb::{operation::query::builders::QueryFluentBuilder, types::AttributeValue};
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    Store,
    lists::{cursor::Cursor, list::Page, page_items::PageItems, query::start_key},
    table::{
        item::{Attributes, Item, decode, entity_of, is_deleted},
        key::Key,
    },
};
use domain::{Entity, Error, Job, JobId, JobView, Resource, Result, Tenant, TenantId};
use filter::Wire;

/// A page requested from a list without a filter.
#[derive(Clone, Debug)]
pub struct Paging {
    /// Maximum number of items on the page.
    pub limit: u16,
    /// Cursor of the page; `None` for the first page.
    pub cursor: Option<Cursor>,
}

impl Store {
    /// Returns the tenant with this ID and a page of its jobs, newest first. The first page takes
    /// one strongly consistent read.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such tenant or it was deleted.
    #[tracing::instrument(skip_all, fields(tenant.id = %id))]
    pub async fn tenant_with_jobs(&self, id: TenantId, paging: Paging) -> Result<(Tenant, Page)> {
        let view =
            |job: &Job| to_raw_value(&JobView::new(job)).map_err(Error::internal("writing a job"));
        self.tenant_with_parts(id, Key::JOBS, paging, |_, _| true, view).await
    }

    /// Returns the tenant with this ID and a page of its resources, newest first. The first page
    /// takes one strongly consistent read.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such tenant or it was deleted.
    #[tracing::instrument(skip_all, fields(tenant.id = %id))]
    pub async fn tenant_with_resources(
        &self,
        id: TenantId,
        paging: Paging,
    ) -> Result<(Tenant, Page)> {
        let view = |resource: &Resource| {
            let members = resource.wire()?;
            let wire = Wire::new(Resource::SCHEMA, &members);
            to_raw_value(&wire).map_err(Error::internal("writing a resource"))
        };
        self.tenant_with_parts(id, Key::RESOURCES, paging, Tenant::has_resource, view).await
    }

    async fn tenant_with_parts<T: Item>(
        &self,
        id: TenantId,
        prefix: &str,
        Paging { limit, cursor }: Paging,
        shows: impl Fn(&Tenant, &T) -> bool,
        view: impl Fn(&T) -> Result<Box<RawValue>>,
    ) -> Result<(Tenant, Page)> {
        let start = cursor.and_then(start_key);
        // The tenant is the first item of the range, so a later page has to read it separately.
        let mut tenant = match start {
            Some(_) => Some(self.tenant(id).await?),
            None => None,
        };
        let mut pages = self
            .back_from_the_tenant(id, prefix)
            .filter_expression("#entity IN (:tenantKind, :kind)")
            .expression_attribute_names("#entity", "entity")
            .expression_attribute_values(":tenantKind", AttributeValue::S(Tenant::ENTITY.into()))
            .expression_attribute_values(":kind", AttributeValue::S(T::ENTITY.into()))
            .set_exclusive_start_key(start)
            .into_paginator()
            .items()
            .send();
        let (mut items, mut last, mut more) = (PageItems::default(), None, false);
        while let Some(item) = pages.next().await {
            let item = item.map_err(Error::internal("reading a tenant's partition"))?;
            if is_deleted(&item) {
                continue;
            }
            if entity_of(&item) == Some(Tenant::ENTITY) {
                tenant = Some(decode(item)?);
                continue;
            }
            let part: T = decode(item)?;
            if tenant.as_ref().is_some_and(|tenant| !shows(tenant, &part)) {
                continue;
            }
            more = items.len() == usize::from(limit) || !items.add(&view(&part)?)?;
            if more || tenant.is_none() {
                break;
            }
            last = Some(Cursor::of_key(Attributes::from(part.key())));
        }
        let tenant = tenant.ok_or_else(|| Error::not_found(id))?;
        let next = last.filter(|_| more);
        Ok((tenant, Page { items: items.into_items(), next, truncated: Default::default() }))
    }

    /// Returns the job with this ID and its tenant, in one read.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such tenant, if it was deleted, or if it has no such job.
    pub async fn tenant_with_job(&self, tenant: TenantId, id: JobId) -> Result<(Tenant, Job)> {
        let mut items = self
            .back_from_the_tenant(tenant, Key::JOBS)
            .filter_expression("#id IN (:tenantId, :job)")
            .expression_attribute_names("#id", "id")
            .expression_attribute_values(":tenantId", AttributeValue::S(tenant.to_string()))
            .expression_attribute_values(":job", AttributeValue::S(id.to_string()))
            .into_paginator()
            .items()
            .send();
        let mut found = None;
        while let Some(item) = items.next().await {
            let item = item.map_err(Error::internal("reading a tenant's job"))?;
            if entity_of(&item) == Some(Tenant::ENTITY) {
                found = (!is_deleted(&item)).then(|| decode::<Tenant>(item)).transpose()?;
                if found.is_none() {
                    break;
                }
            } else if entity_of(&item) == Some(Job::ENTITY) {
                let found = found.ok_or_else(|| Error::not_found(tenant))?;
                return Ok((found, decode(item)?));
            }
        }
        Err(found.map_or_else(|| Error::not_found(tenant), |_| Error::not_found(id)))
    }

    /// Returns a query for a tenant's partition in descending order, from the tenant to the items
    /// with `prefix`.
    fn back_from_the_tenant(&self, id: TenantId, prefix: &str) -> QueryFluentBuilder {
        let tenant = Key::tenant_partition(id);
        self.client
            .query()
            .table_name(&*self.table)
            .consistent_read(true)
            .scan_index_forward(false)
            .key_condition_expression("pk = :tenant AND sk >= :prefix")
            .expression_attribute_values(":tenant", AttributeValue::S(tenant))
            .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
    }
}
