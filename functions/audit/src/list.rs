use axum::{
    extract::{FromRequestParts, State},
    http::request::Parts,
    response::Response,
};
use domain::{AuditedKind, TenantId, permit};
use filter::{Fields, Filter, Order, Where};
use lambda::keys::MasterKeys;
use store::{AuditRange, AuditSource, Paging, Store};
use web::{Argument, Failure, ListUrl, Operator, Paged, PathIds, Result, page_response};

use crate::{
    names::named,
    view::{ENTRY, bad, filtered},
};

/// The request for a list of entries: conditions, a limit and a cursor.
#[derive(Clone, Debug)]
pub(crate) struct AuditQuery {
    filter: Filter,
    url: ListUrl,
}

impl<S: Send + Sync> FromRequestParts<S> for AuditQuery {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let url = ListUrl::of(parts);
        let filter = Filter::from_query(url.query(), &ENTRY)?;
        let is_plain = filter.order == Order::newest_first()
            && filter.skip == 0
            && filter.fields == Fields::default()
            && filter.include.is_empty();
        if !is_plain {
            let rule = "filter: has only where and limit here. Entries are listed newest first.";
            return Err(bad(rule).into());
        }
        Ok(Self { filter, url })
    }
}

impl Argument for AuditQuery {}

/// `GET /audit`: lists entries, newest first.
pub(crate) async fn entries(
    State(store): State<Store>,
    State(keys): State<MasterKeys>,
    Operator { bearer, .. }: Operator<permit::ViewAudit>,
    AuditQuery { filter, url }: AuditQuery,
) -> Result<Response> {
    let cursor = url.open(filter.cursor.as_ref(), &bearer, &keys)?;
    let (source, limit) = (source(&filter.conditions), filter.page_size().into());
    let view = |entry| Ok(filter.conditions.matches(&filtered(&entry)).then_some(entry));
    let range = AuditRange::default();
    let page = store.audit_entries(&source, range, limit, cursor, view).await?;
    page_response(&url, named(page, &store, &bearer).await?, &bearer, &keys)
}

/// `GET /tenants/{id}/audit`: lists the entries of a tenant, newest first. The tenant may be
/// deleted.
pub(crate) async fn of_tenant(
    State(store): State<Store>,
    State(keys): State<MasterKeys>,
    Operator { bearer, .. }: Operator<permit::ViewAudit>,
    paged: Paged,
    path: PathIds,
) -> Result<Response> {
    let Paging { limit, cursor } = paged.paging(&bearer, &keys)?;
    let source = AuditSource::Chain(AuditedKind::tenant_chain(path.id::<TenantId>()?));
    let (range, all) = (AuditRange::default(), |entry| Ok(Some(entry)));
    let page = store.audit_entries(&source, range, limit.into(), cursor, all).await?;
    paged.answer(named(page, &store, &bearer).await?, &bearer, &keys)
}

/// Returns the source with the fewest entries that has every match of `conditions`.
fn source(conditions: &Where) -> AuditSource {
    let text = |name| conditions.equals(name)?.as_str().map(str::to_owned);
    if let Some(tenant) = text("tenantId") {
        return AuditSource::Chain(AuditedKind::tenant_chain(tenant.to_lowercase()));
    }
    if let Some(chain) = text("chain") {
        return AuditSource::Chain(chain);
    }
    text("actorId").map_or(AuditSource::Time, AuditSource::Actor)
}
