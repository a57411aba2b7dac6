//! The handlers shared by contacts, invoices and tenant configs.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{Allowed, EntityTag, IfMatch, Json, PathIds, Result};
use domain::{Details, Entity, NewChild};
use filter::Wire;
use store::{Store, retry_if_stale};

/// Handles `POST /<kind>`.
///
/// # Errors
///
/// [`Error::NotFound`](domain::Error::NotFound) if there is no such tenant, and the errors of
/// [`Store::add_child`].
pub async fn create<D: Details>(
    State(store): State<Store>,
    Allowed { bearer, .. }: Allowed<D::Create>,
    Json(new): Json<NewChild<D>>,
) -> Result<Response> {
    // The write checks that the tenant exists. A lead must also own the tenant.
    if bearer.lead().is_some() {
        bearer.may_act_on(store.tenant(new.tenant_id).await?.lead_id)?;
    }
    let child = new.create(lambda::now(), &bearer.id);
    store.add_child(&child, bearer.lead()).await?;
    let tag = EntityTag::FIRST;
    Ok((tag, Json(Wire::new(D::SCHEMA, &child.wire()?))).into_response())
}

/// Handles `DELETE /<kind>/{id}`.
///
/// # Errors
///
/// [`Error::NotFound`](domain::Error::NotFound) if there is no such entity, and
/// [`Error::Forbidden`](domain::Error::Forbidden) if it belongs to another lead.
pub async fn delete<D: Details>(
    State(store): State<Store>,
    Allowed { bearer, .. }: Allowed<D::Delete>,
    expected: IfMatch,
    path: PathIds,
) -> Result<StatusCode> {
    let id = path.id()?;
    retry_if_stale(|| async {
        let (child, tenant) = store.child::<D>(id).await?;
        bearer.may_act_on(tenant.item.lead_id)?;
        expected.check(child.version)?;
        store.delete_child(&child, &tenant.item, lambda::now(), &bearer.id).await
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
