use serde::{Serialize, de::DeserializeOwned};

use super::{Key, Store, Stored};
use crate::cache::{Held, Looked};
use domain::{Error, Result, Tenant, TenantId};

impl Store {
    /// Returns the tenant with this ID and its version, for display only: from the cache, if
    /// present. Use [`Store::stored_tenant`] before a decision or a write.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such tenant or it was deleted.
    #[tracing::instrument(skip_all, fields(tenant.id = %id))]
    pub async fn tenant_to_show(&self, id: TenantId) -> Result<Stored<Tenant>> {
        let read = Box::pin(self.get_living(Key::tenant(id)));
        let tenant = self.held(Held::Tenant(id), read).await?;
        tenant.ok_or_else(|| Error::not_found(id))
    }

    /// Runs `write`, then invalidates the cached tenant. It is invalidated even if the write fails,
    /// because the table may have accepted the write.
    pub(super) fn forgetting<T>(
        &self,
        id: TenantId,
        write: impl Future<Output = T>,
    ) -> impl Future<Output = T> {
        let write = Box::pin(write);
        async move {
            let written = write.await;
            self.forget_tenant(id).await;
            written
        }
    }

    /// Invalidates the cached tenant.
    #[tracing::instrument(skip_all, fields(tenant.id = %id))]
    pub async fn forget_tenant(&self, id: TenantId) {
        if let Some(cache) = &self.cache {
            cache.forget(Held::Tenant(id)).await;
        }
    }

    /// Returns the cached value, or else the result of `read`, which is then cached.
    pub(super) async fn held<T: Serialize + DeserializeOwned>(
        &self,
        held: Held<'_>,
        read: impl Future<Output = Result<Option<T>>>,
    ) -> Result<Option<T>> {
        let Some(cache) = &self.cache else { return read.await };
        let looked = cache.look(held).await;
        if let Some(Looked::Found(value)) = looked {
            return Ok(Some(value));
        }
        let read = read.await?;
        if let (Some(Looked::Missing(gap)), Some(value)) = (looked, &read) {
            cache.fill(gap, value).await;
        }
        Ok(read)
    }
}
