use std::future::Future;

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Store,
    cache::{CacheKey, Lookup},
    table::{item::Stored, key::Key},
};
use domain::{Error, Result, Tenant, TenantId};

impl Store {
    /// Returns the tenant with this ID and its version, for display only: from the cache, if
    /// present. Use [`Store::stored_tenant`] before a decision or a write.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such tenant or it was deleted.
    #[tracing::instrument(skip_all, fields(tenant.id = %id))]
    pub async fn tenant_for_display(&self, id: TenantId) -> Result<Stored<Tenant>> {
        let read = Box::pin(self.get_active(Key::tenant(id)));
        let tenant = self.cache_or(CacheKey::Tenant(id), read).await?;
        tenant.ok_or_else(|| Error::not_found(id))
    }

    /// Runs `write`, then invalidates the cached tenant. It is invalidated even if the write fails,
    /// because the table may have accepted the write.
    pub(crate) fn invalidating<T>(
        &self,
        id: TenantId,
        write: impl Future<Output = T>,
    ) -> impl Future<Output = T> {
        let write = Box::pin(write);
        async move {
            let written = write.await;
            self.invalidate_tenant(id).await;
            written
        }
    }

    /// Invalidates the cached tenant.
    #[tracing::instrument(skip_all, fields(tenant.id = %id))]
    pub async fn invalidate_tenant(&self, id: TenantId) {
        if let Some(cache) = &self.cache {
            cache.invalidate(CacheKey::Tenant(id)).await;
        }
    }

    /// Returns the cached value, or else the result of `read`, which is then cached.
    pub(crate) async fn cache_or<T: Serialize + DeserializeOwned>(
        &self,
        key: CacheKey<'_>,
        read: impl Future<Output = Result<Option<T>>>,
    ) -> Result<Option<T>> {
        let Some(cache) = &self.cache else { return read.await };
        let lookup = cache.lookup(key).await;
        if let Some(Lookup::Found(value)) = lookup {
            return Ok(Some(value));
        }
        let read = read.await?;
        if let (Some(Lookup::Missing(miss)), Some(value)) = (lookup, &read) {
            cache.fill(miss, value).await;
        }
        Ok(read)
    }
}
