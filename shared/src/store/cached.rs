use serde::{Serialize, de::DeserializeOwned};

use super::{Key, Store, Stored};
use crate::{
    Error, Result,
    cache::{Held, Looked},
    domain::{Tenant, TenantId},
};

impl Store {
    /// The tenant with this id, and its version, for a reader: from the cache, where it is there. What
    /// decides by it reads [`Store::stored_tenant`].
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where there is none, or it is deleted.
    #[tracing::instrument(skip_all, fields(tenant.id = %id))]
    pub async fn tenant_to_show(&self, id: TenantId) -> Result<Stored<Tenant>> {
        let read = Box::pin(self.get_living(Key::tenant(id)));
        let tenant = self.held(Held::Tenant(id), read).await?;
        tenant.ok_or_else(|| Error::not_found("Tenant", id))
    }

    /// Has readers read a tenant anew once `write` has written it, whatever became of that: one that
    /// failed may have been taken all the same.
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

    /// Has readers read a tenant anew.
    #[tracing::instrument(skip_all, fields(tenant.id = %id))]
    pub async fn forget_tenant(&self, id: TenantId) {
        if let Some(cache) = &self.cache {
            cache.forget(Held::Tenant(id)).await;
        }
    }

    /// What the cache holds, or else what `read` finds, which the cache then holds.
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
