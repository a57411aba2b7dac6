use axum::{
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use domain::{JobView, LeadId, Overview, Permit, SearchHit, SearchText, TenantId, Viewer, permit};
use filter::SearchQuery;
use lambda::keys::MasterKeys;
use store::{SearchRequest, Store};
use web::{Allowed, IfNoneMatch, Json, Operator, Paged, PathIds, Result};

/// A caller with permission to view jobs. A lead may view those of its own tenant.
type Follower = Allowed<permit::ViewJob>;

/// Returns the audience of a job: an operator, or the lead of its tenant.
fn viewer(lead: Option<LeadId>) -> Viewer {
    lead.map_or(Viewer::Operator, |_| Viewer::Lead)
}

/// `GET /tenants/{id}/jobs`: lists the jobs of a tenant, newest first.
pub(crate) async fn jobs(
    State(store): State<Store>,
    State(keys): State<MasterKeys>,
    Allowed { bearer, .. }: Follower,
    paged: Paged,
    path: PathIds,
) -> Result<Response> {
    let paging = paged.paging(&bearer, &keys)?;
    let (tenant, page) = store.tenant_with_jobs(path.id()?, paging, viewer(bearer.lead())).await?;
    bearer.may_act_on(tenant.lead_id)?;
    paged.answer(page, &bearer, &keys)
}

/// `GET /tenants/{id}/jobs/{jobId}`: returns a job.
pub(crate) async fn job(
    State(store): State<Store>,
    Allowed { bearer, .. }: Follower,
    known: IfNoneMatch,
    path: PathIds,
) -> Result<Response> {
    let (tenant, job): (TenantId, _) = (path.id()?, path.named("jobId")?);
    let (tenant, job) = store.tenant_with_job(tenant, job).await?;
    bearer.may_act_on(tenant.lead_id)?;
    let view = async || Ok(Json(JobView::new(&job.item, viewer(bearer.lead()))).into_response());
    known.answer(job.version, view).await
}

/// `GET /tenants/{id}/resources`: lists the resources that builds have reported, newest first.
pub(crate) async fn resources(
    State(store): State<Store>,
    State(keys): State<MasterKeys>,
    Allowed { bearer, .. }: Allowed<permit::ViewTenant>,
    paged: Paged,
    path: PathIds,
) -> Result<Response> {
    let paging = paged.paging(&bearer, &keys)?;
    let (tenant, page) = store.tenant_with_resources(path.id()?, paging).await?;
    bearer.may_act_on(tenant.lead_id)?;
    paged.answer(page, &bearer, &keys)
}

/// `GET /overview`: returns dashboard statistics. The cost does not depend on the number of
/// tenants.
pub(crate) async fn overview(
    State(store): State<Store>,
    _: Operator<permit::ViewTenant>,
) -> Result<Json<Overview>> {
    Ok(Json(Box::pin(store.overview(lambda::now())).await?))
}

/// `GET /search`: finds tenants and leads by the words of a text. Finds only what the caller may
/// see.
pub(crate) async fn search(
    State(store): State<Store>,
    Operator { bearer, .. }: Operator<permit::ViewTenant>,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<SearchHit>>> {
    let SearchQuery { text, limit } = SearchQuery::from_query(&query.unwrap_or_default())?;
    let request = SearchRequest {
        text: SearchText::new(&text),
        limit: limit.into(),
        leads: bearer.may_see(permit::ViewLead::CODES),
        contacts: bearer.may_see(permit::ViewContact::CODES),
    };
    Ok(Json(Box::pin(store.search(&request)).await?))
}
