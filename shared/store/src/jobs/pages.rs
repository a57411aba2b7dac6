use serde_json::value::{RawValue, to_raw_value};

use crate::{
    Store,
    lists::{cursor::Cursor, list::Page, page_items::PageItems, query::start_key},
    table::{
        item::{Attributes, Item},
        key::Key,
        query::QueryPages,
    },
};
use domain::{Entity, Error, Job, JobView, Resource, Result, Tenant, TenantId, Viewer};
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
    /// Returns the tenant with this ID and a page of its jobs, newest first. The tenant may be
    /// cached; it and the page are read concurrently.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such tenant or it was deleted.
    #[tracing::instrument(skip_all, fields(tenant.id = %id))]
    pub async fn tenant_with_jobs(
        &self,
        id: TenantId,
        paging: Paging,
        viewer: Viewer,
    ) -> Result<(Tenant, Page)> {
        let view = |job: &Job| {
            to_raw_value(&JobView::new(job, viewer)).map_err(Error::internal("writing a job"))
        };
        self.tenant_with_parts(id, Key::JOBS, paging, |_, _| true, view).await
    }

    /// Returns the tenant with this ID and a page of its resources, newest first. The tenant may
    /// be cached; it and the page are read concurrently.
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
        let query = self.newest_first(id, prefix);
        let start = cursor.and_then(start_key);
        let query = query.set_exclusive_start_key(start);
        let mut pages = QueryPages::new(query, "reading a tenant's partition");
        let (tenant, mut next) = tokio::join!(self.tenant_for_display(id), pages.next_page());
        let tenant = tenant?.item;
        let (mut items, mut last, mut more) = (PageItems::default(), None, false);
        'page: while let Some(page) = next? {
            for item in page {
                let Some(part) = item.decode_active::<T>()?.map(|stored| stored.item) else {
                    continue;
                };
                if !shows(&tenant, &part) {
                    continue;
                }
                more = items.len() == usize::from(limit) || !items.add(&view(&part)?)?;
                if more {
                    break 'page;
                }
                last = Some(Cursor::of_key(Attributes::from(part.key())));
            }
            next = pages.next_page().await;
        }
        let next = last.filter(|_| more);
        Ok((tenant, Page { items: items.into_items(), next, truncated: Default::default() }))
    }
}
