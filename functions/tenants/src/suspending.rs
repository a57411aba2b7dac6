use axum::response::Response;
use domain::{NewSuspension, Refusal, Tenant, TenantId, UserId, permit};
use lambda::token::Bearer;
use schema::Timestamp;
use store::retry_if_stale;
use web::{EntityTag, IfMatch, Json, Once, Operator, PathIds, Reply, Result, Scope};

/// `POST /tenants/{id}/suspend`: locks a tenant. Its resources stay as they are.
pub(crate) async fn suspend(
    Operator { bearer, .. }: Operator<permit::SuspendTenant>,
    once: Once,
    expected: IfMatch,
    path: PathIds,
    Json(new): Json<NewSuspension>,
) -> Result<Response> {
    let suspended = |tenant: Tenant, now, by: &UserId| tenant.suspended(new.clone(), now, by);
    change(once, &bearer, &expected, path.id()?, suspended).await
}

/// `POST /tenants/{id}/reactivate`: ends the suspension of a tenant, whatever its reason is.
pub(crate) async fn reactivate(
    Operator { bearer, .. }: Operator<permit::SuspendTenant>,
    once: Once,
    expected: IfMatch,
    path: PathIds,
) -> Result<Response> {
    change(once, &bearer, &expected, path.id()?, Tenant::reactivated).await
}

/// Replaces a tenant by the one that `standing` decides on. The write is conditional on the version
/// that was read, which a job changes when it opens.
async fn change(
    once: Once,
    bearer: &Bearer,
    expected: &IfMatch,
    id: TenantId,
    standing: impl Fn(Tenant, Timestamp, &UserId) -> Result<Tenant, Refusal>,
) -> Result<Response> {
    let standing = &standing;
    once.run(Scope::Bearer(bearer), |attempt| async move {
        let changed = retry_if_stale(|| async {
            let before = attempt.store.stored_tenant(id).await?;
            expected.check(before.version)?;
            let after = standing(before.item.clone(), lambda::now(), &bearer.id)?;
            let reply = Reply::no_content().tagged(EntityTag(before.version + 1));
            attempt.recording(&reply).replace_tenant(&before, &after).await?;
            Ok(reply)
        });
        Ok(changed.await?)
    })
    .await
}
