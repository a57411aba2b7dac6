use axum::response::Response;
use domain::{Context, NewSuspension, permit};
use store::retry_if_stale;
use web::{EntityTag, IfMatch, Json, Once, Operator, PathIds, Reply, RequestId, Result, Scope};

/// `POST /tenants/{id}/suspend`: locks a tenant. Its resources stay as they are.
pub(crate) async fn suspend(
    Operator { bearer, .. }: Operator<permit::SuspendTenant>,
    once: Once,
    expected: IfMatch,
    path: PathIds,
    Json(new): Json<NewSuspension>,
) -> Result<Response> {
    let (id, bearer, expected, new) = (path.id()?, &bearer, &expected, &new);
    once.run(Scope::Bearer(bearer), |attempt| async move {
        let suspended = retry_if_stale(|| async {
            // The write is conditional on the version, which a job changes when it opens.
            let before = attempt.store.stored_tenant(id).await?;
            expected.check(before.version)?;
            let after = before.item.clone().suspended(new.clone(), lambda::now(), &bearer.id)?;
            let reply = Reply::no_content().tagged(EntityTag(before.version + 1));
            attempt.recording(&reply).replace_tenant(&before, &after).await?;
            Ok(reply)
        });
        Ok(suspended.await?)
    })
    .await
}

/// `POST /tenants/{id}/reactivate`: ends the suspension of a tenant, whatever its reason is. A
/// subscription with overdue invoices gets a new grace period.
pub(crate) async fn reactivate(
    Operator { bearer, .. }: Operator<permit::SuspendTenant>,
    RequestId(request): RequestId,
    once: Once,
    expected: IfMatch,
    path: PathIds,
) -> Result<Response> {
    let (id, bearer, expected, request) = (path.id()?, &bearer, &expected, &request);
    once.run(Scope::Bearer(bearer), |attempt| async move {
        let reactivated = retry_if_stale(|| async {
            let (before, current) = attempt.store.tenant_and_subscription(id).await?;
            expected.check(before.version)?;
            let now = lambda::now();
            let at = Context { tenant: before.item.standing(), now, by: &bearer.id };
            let after = before.item.clone().reactivated(now, &bearer.id)?;
            let decision =
                current.as_ref().map(|current| current.item.clone().reactivated_by_hand(at));
            let reply = Reply::no_content().tagged(EntityTag(before.version + 1));
            let follows = current.as_ref().zip(decision.as_ref());
            attempt.recording(&reply).reactivate(&before, &after, follows, request).await?;
            Ok(reply)
        });
        Ok(reactivated.await?)
    })
    .await
}
