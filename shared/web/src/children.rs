//! The handlers shared by contacts, invoices and tenant configs.

use std::marker::PhantomData;

use axum::{
    extract::{FromRef, FromRequestParts, State},
    http::request::Parts,
    response::Response,
};

use super::{
    Access, Allowed, Argument, Caller, EntityTag, Failure, IfMatch, Json, Once, PathIds, Reply,
    Result, Scope,
};
use domain::{Child, ChildKind, Details, Entity, EntityId, Error, NewChild, Permit};
use filter::Wire;
use lambda::{
    Env,
    config::ConfigError,
    token::{Bearer, Tokens},
};
use store::{Store, retry_if_stale};

/// Whether leads may create invoices of their tenant, as in ARC SaaS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeadInvoices {
    /// Only operators create invoices.
    Refused,
    /// Leads do so, too.
    Allowed,
}

impl LeadInvoices {
    /// Reads `LEAD_INVOICES`.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Malformed`] if the variable is neither `true` nor `false`.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        Ok(if env.flag("LEAD_INVOICES")? { Self::Allowed } else { Self::Refused })
    }
}

/// A caller that may create children with the details `D`.
#[derive(Clone, Debug)]
pub struct Creator<D> {
    bearer: Bearer,
    details: PhantomData<D>,
}

impl<D: Details, S: Send + Sync> FromRequestParts<S> for Creator<D>
where
    Tokens: FromRef<S>,
    LeadInvoices: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let Allowed { bearer, .. } = Allowed::<D::Create>::from_request_parts(parts, state).await?;
        let refused = LeadInvoices::from_ref(state) == LeadInvoices::Refused;
        if D::KIND == ChildKind::Invoice && bearer.lead().is_some() && refused {
            return Err(Error::Forbidden("leads do not create invoices").into());
        }
        Ok(Self { bearer, details: PhantomData })
    }
}

impl<D: Details> Argument for Creator<D> {
    const ACCESS: Option<Access> = Some(Access::of(Caller::Permitted(D::Create::CODES)));
}

/// Handles `POST /<kind>`.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such tenant, and the errors of
/// [`Store::add_child`].
pub async fn create<D: Details>(
    State(store): State<Store>,
    Creator { bearer, .. }: Creator<D>,
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
            let tenant = attempt.store.tenant(new.tenant_id).await?;
            bearer.may_act_on(tenant.lead_id)?;
            bearer.may_change(&tenant)?;
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
            bearer.may_change(&tenant.item)?;
            child.item.details.check_change(None)?;
            store.delete_child(&child, &tenant.item, lambda::now(), &bearer.id).await
        });
        deleted.await?;
        Ok(reply)
    })
    .await
}
