use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use shared::{
    Result,
    domain::{JobView, Overview, TenantId, permit},
    http::{Allowed, Id, Json, Operator, Paged},
    keys::MasterKeys,
    store::Store,
};

/// A caller who may see jobs: a lead, too, of its own tenant.
type Follower = Allowed<permit::ViewJob>;

/// `GET /tenants/{id}/jobs`: a page of the attempts, newest first.
pub(crate) async fn jobs(
    State(store): State<Store>,
    State(keys): State<MasterKeys>,
    Allowed { bearer, .. }: Follower,
    paged: Paged,
    id: Id,
) -> Result<Response> {
    let paging = paged.paging(&bearer, &keys)?;
    let (tenant, page) = store.tenant_with_jobs(id.of("id", "Tenant")?, paging).await?;
    bearer.may_act_on(tenant.lead_id)?;
    paged.answer(page, &bearer, &keys)
}

/// `GET /tenants/{id}/jobs/{jobId}`.
pub(crate) async fn job(
    State(store): State<Store>,
    Allowed { bearer, .. }: Follower,
    id: Id,
) -> Result<Response> {
    let (tenant, job): (TenantId, _) = (id.of("id", "Tenant")?, id.of("jobId", "Job")?);
    let (tenant, job) = store.tenant_with_job(tenant, job).await?;
    bearer.may_act_on(tenant.lead_id)?;
    Ok(Json(JobView::of(&job)?).into_response())
}

/// `GET /tenants/{id}/resources`: a page of what provisioning reported, newest first.
pub(crate) async fn resources(
    State(store): State<Store>,
    State(keys): State<MasterKeys>,
    Allowed { bearer, .. }: Allowed<permit::ViewTenant>,
    paged: Paged,
    id: Id,
) -> Result<Response> {
    let paging = paged.paging(&bearer, &keys)?;
    let (tenant, page) = store.tenant_with_resources(id.of("id", "Tenant")?, paging).await?;
    bearer.may_act_on(tenant.lead_id)?;
    paged.answer(page, &bearer, &keys)
}

/// `GET /overview`: how things stand, at the same cost however many tenants there are.
pub(crate) async fn overview(
    State(store): State<Store>,
    _: Operator<permit::ViewTenant>,
) -> Result<Json<Overview>> {
    Box::pin(store.overview(shared::now())).await.map(Json)
}
