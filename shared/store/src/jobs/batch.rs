//! Resources of a report that is too large for one transaction.
//!
//! They are written in several transactions before the job closes, each with the batch that it
//! belongs to. The tenant names the batch when the job closes, and only then do the resources
//! exist. The batch and the IDs of its resources are derived from the report, so a repeated report
//! writes the same items. `upkeep` deletes the resources of batches that no job has closed with.

use domain::{Error, JobId, Resource, ResourceId, Result, Tenant, TenantId};
use ring::digest::{Context, SHA256};

use crate::{
    JobCompletion, Store,
    jobs::close::while_latest,
    table::{key::Key, query::query_all},
};

/// The maximum number of resources that are written by the transaction that closes their job. A
/// transaction has at most 100 items (AWS limit), and two of them are the tenant and the job.
const AT_CLOSING: usize = 98;

/// The number of items that a subscription may take in the transaction that closes its job: itself, its
/// claim, its owner, an invoice with its owner, and its timers. A timer of the tenant may come with it.
const WITH_SUBSCRIPTION: usize = 13;

/// The maximum number of resources in one transaction of a batch, next to the tenant.
const IN_ONE_TRANSACTION: usize = 99;

impl Store {
    /// Writes the resources of a large report as a batch, and returns the batch. Returns `None` if
    /// the transaction that closes the job can hold all resources.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] if the job is not the tenant's latest or is already closed.
    pub(crate) async fn stage_resources(
        &self,
        tenant: TenantId,
        completion: &JobCompletion<'_>,
    ) -> Result<Option<String>> {
        let JobCompletion { job, result, now, by } = *completion;
        // The subscription of the job changes in the same transaction.
        let others = if job.subscription_id.is_some() { WITH_SUBSCRIPTION } else { 0 };
        let kept = job.kept(result);
        if kept.len() + others <= AT_CLOSING {
            return Ok(None);
        }
        let resources = kept.iter();
        let resources: Vec<_> =
            resources.map(|new| new.to_resource(tenant, job.attempt, now, by)).collect();
        let (batch, resources) = into_batch(resources, job.id)?;
        for some in resources.chunks(IN_ONE_TRANSACTION) {
            let open = while_latest(job).set("stagedBy", "attempt", job.attempt);
            let mut writes = self.transaction().update(Key::tenant(tenant), open, Error::Stale)?;
            for resource in some {
                writes = writes.put_any(resource)?;
            }
            writes.commit().await?;
        }
        Ok(Some(batch))
    }

    /// Deletes the resources of a tenant that [`Tenant::obsolete_resources`] names. Idempotent.
    ///
    /// # Errors
    ///
    /// An error of the table.
    #[tracing::instrument(skip_all, fields(tenant.id = %tenant))]
    pub async fn sweep_resources(&self, tenant: TenantId) -> Result<()> {
        let Some(tenant) = self.get::<Tenant>(Key::tenant(tenant)).await? else { return Ok(()) };
        let query = self.newest_first(tenant.id, Key::RESOURCES).consistent_read(true);
        let mut resources = Vec::<Resource>::new();
        for item in query_all(query, "reading a tenant's resources").await? {
            resources.extend(item.decode_active()?.map(|stored| stored.item));
        }
        let obsolete = tenant.obsolete_resources(&resources);
        for some in obsolete.chunks(IN_ONE_TRANSACTION) {
            let mut writes = self.transaction();
            for id in some {
                writes = writes.delete_existing(Key::resource(tenant.id, *id), Error::Stale)?;
            }
            writes.commit().await?;
        }
        Ok(())
    }
}

/// Returns `resources` as a batch, with IDs that depend only on the job and the resources.
fn into_batch(resources: Vec<Resource>, job: JobId) -> Result<(String, Vec<Resource>)> {
    let mut all = Context::new(&SHA256);
    let mut named = Vec::with_capacity(resources.len());
    for resource in resources {
        let text = serde_json::to_vec(&(resource.name(), &resource.metadata));
        let text = text.map_err(Error::permanent("encoding a resource"))?;
        all.update(&text);
        named.push((resource, text));
    }
    let digest = all.finish();
    let batch: String = digest.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let resources = named.into_iter().map(|(resource, text)| {
        let mut one = Context::new(&SHA256);
        one.update(digest.as_ref());
        one.update(&text);
        let mut bytes = [0; 10];
        bytes.copy_from_slice(&one.finish().as_ref()[..10]);
        resource.in_batch(&batch, ResourceId::derived(job, bytes))
    });
    let resources = resources.collect();
    Ok((batch, resources))
}
