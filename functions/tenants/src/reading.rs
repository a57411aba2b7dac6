use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use shared::{
    Result,
    domain::{JobView, Overview, TenantId, permit},
    http::{Allowed, Id, Json, Operator},
    store::Store,
};

/// A caller who may see jobs: a lead, too, of its own tenant.
type Follower = Allowed<permit::ViewJob>;

/// `GET /tenants/{id}/jobs`: every attempt, newest first.
pub(crate) async fn jobs(
    State(store): State<Store>,
    Allowed { bearer, .. }: Follower,
    id: Id,
) -> Result<Response> {
    let (tenant, jobs) = store.tenant_with_jobs(id.of("id", "Tenant")?).await?;
    bearer.may_act_on(tenant.lead_id)?;
    let views = jobs.iter().map(JobView::of).collect::<Result<Vec<_>>>()?;
    Ok(Json(views).into_response())
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

/// `GET /tenants/{id}/resources`: what provisioning reported.
pub(crate) async fn resources(
    State(store): State<Store>,
    Allowed { bearer, .. }: Allowed<permit::ViewTenant>,
    id: Id,
) -> Result<Response> {
    let (tenant, resources) = store.tenant_with_resources(id.of("id", "Tenant")?).await?;
    bearer.may_act_on(tenant.lead_id)?;
    Ok(Json(resources).into_response())
}

/// `GET /overview`: how things stand, at the same cost however many tenants there are.
pub(crate) async fn overview(
    State(store): State<Store>,
    _: Operator<permit::ViewTenant>,
) -> Result<Json<Overview>> {
    Box::pin(store.overview(shared::now())).await.map(Json)
}
