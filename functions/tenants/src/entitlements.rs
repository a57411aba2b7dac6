use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use domain::{Error, FeatureKey, Grants, NewOverride, TenantId, UserId, permit};
use lambda::token::Bearer;
use schema::{Timestamp, read};
use store::{Store, retry_if_stale};
use web::{
    Allowed, EntityTag, IfMatch, IfNoneMatch, Json, Once, Operator, PathIds, Reply, Result, Scope,
};

/// `GET /tenants/{id}/entitlements`: returns the features that a tenant may use, and its status.
pub(crate) async fn entitlements(
    State(store): State<Store>,
    Allowed { bearer, .. }: Allowed<permit::ViewSubscription>,
    known: IfNoneMatch,
    path: PathIds,
) -> Result<Response> {
    let found = store.entitlements(path.id()?).await?;
    bearer.may_act_on(found.tenant.item.lead_id)?;
    known.answer(found.version(), async || Ok(Json(found.entitlements()).into_response())).await
}

/// `PUT /tenants/{id}/entitlements/{key}`: overrides a feature of a tenant's plan, or adds one.
pub(crate) async fn put_override(
    Operator { bearer, .. }: Operator<permit::UpdateSubscription>,
    once: Once,
    expected: IfMatch,
    path: PathIds,
    Json(NewOverride { value }): Json<NewOverride>,
) -> Result<Response> {
    let key = feature(&path)?;
    let overridden = |grants: Grants, now, by: &UserId| {
        grants.with_override(key.clone(), value.clone(), now, by)
    };
    change(once, &bearer, &expected, path.id()?, overridden).await
}

/// `DELETE /tenants/{id}/entitlements/{key}`: removes an override, so that the plan's value applies.
pub(crate) async fn delete_override(
    Operator { bearer, .. }: Operator<permit::UpdateSubscription>,
    once: Once,
    expected: IfMatch,
    path: PathIds,
) -> Result<Response> {
    let key = feature(&path)?;
    let removed = |grants: Grants, now, by: &UserId| grants.without_override(&key, now, by);
    change(once, &bearer, &expected, path.id()?, removed).await
}

/// Returns the feature that a path names.
fn feature(path: &PathIds) -> domain::Result<FeatureKey> {
    let rule = "`key` must be a letter, then at most 63 letters, digits, `_`, `.` or `-`.";
    read(&path.text("key").into()).map_err(|_| Error::BadParameter(rule.to_owned()))
}

/// Replaces the grants of a tenant by those that `granted` decides on.
async fn change(
    once: Once,
    bearer: &Bearer,
    expected: &IfMatch,
    id: TenantId,
    granted: impl Fn(Grants, Timestamp, &UserId) -> domain::Result<Grants>,
) -> Result<Response> {
    let granted = &granted;
    once.run(Scope::Bearer(bearer), |attempt| async move {
        let changed = retry_if_stale(|| async {
            let before = attempt.store.grants_to_change(id).await?;
            expected.check(before.version())?;
            let (now, by) = (lambda::now(), &bearer.id);
            let grants = before.grants.as_ref().map(|grants| grants.item.clone());
            let after = granted(grants.unwrap_or_else(|| Grants::none(id, now, by)), now, by)?;
            let reply = Reply::no_content().tagged(EntityTag(before.version() + 1));
            attempt.recording(&reply).replace_grants(&before, &after).await?;
            Ok(reply)
        });
        Ok(changed.await?)
    })
    .await
}
