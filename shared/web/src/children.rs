//! The handlers shared by contacts, invoices and tenant configs.

use axum::{extract::State, response::Response};

use super::{Allowed, EntityTag, IfMatch, Json, Once, PathIds, Reply, Result, Scope};
use domain::{Child, Details, Entity, EntityId, Error, NewChild};
use filter::Wire;
use store::{Store, retry_if_stale};

/// Handles `POST /<kind>`.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such tenant, and the errors of
/// [`Store::add_child`].
pub async fn create<D: Details>(
    State(store): State<Store>,
    Allowed { bearer, .. }: Allowed<D::Create>,
    once: Once,
    Json(new): Json<NewChild<D>>,
) -> Result<Response> {
    let shown = |child: &Child<D>| Reply::json(&Wire::new(D::SCHEMA, &child.wire()?));
    let (bearer, shown) = (&bearer, &shown);
    let again = |id: String| async move {
        let id = id.parse().map_err(|_| Error::NotFound { entity: D::Id::ENTITY, id })?;
        Ok(shown(&store.child::<D>(id).await?.0.item)?)
    };
    once.run_or_rebuild(Scope::Bearer(bearer), again, |attempt| async move {
        // The write checks that the tenant exists. A lead must also own the tenant.
        if bearer.lead().is_some() {
            bearer.may_act_on(attempt.store.tenant(new.tenant_id).await?.lead_id)?;
        }
        let child = new.create(lambda::now(), &bearer.id);
        let reply = shown(&child)?.tagged(EntityTag::FIRST).showing(child.id);
        attempt.recording(&reply).add_child(&child, bearer.lead()).await?;
        Ok(reply)
    })
    .await
}

/// Handles `DELETE /<kind>/{id}`.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such entity, and
/// [`Error::Forbidden`] if it belongs to another lead.
pub async fn delete<D: Details>(
    Allowed { bearer, .. }: Allowed<D::Delete>,
    once: Once,
    expected: IfMatch,
    path: PathIds,
) -> Result<Response> {
    let (id, bearer, expected) = (path.id()?, &bearer, &expected);
    once.run(Scope::Bearer(bearer), |attempt| async move {
        let reply = Reply::no_content();
        let store = attempt.recording(&reply);
        let deleted = retry_if_stale(|| async {
            let (child, tenant) = store.child::<D>(id).await?;
            bearer.may_act_on(tenant.item.lead_id)?;
            expected.check(child.version)?;
            store.delete_child(&child, &tenant.item, lambda::now(), &bearer.id).await
        });
        deleted.await?;
        Ok(reply)
    })
    .await
}
