use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use shared::{
    Result,
    domain::{JobView, TenantId, permit},
    http::{Allowed, Id, Json},
    store::Store,
};

/// A caller who may see tenants.
type Viewer = Allowed<permit::ViewTenant>;

/// `GET /tenants/{id}/jobs`: every attempt, newest first.
pub(crate) async fn jobs(
    State(store): State<Store>,
    Allowed { bearer, .. }: Viewer,
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
    Allowed { bearer, .. }: Viewer,
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
    Allowed { bearer, .. }: Viewer,
    id: Id,
) -> Result<Response> {
    let (tenant, resources) = store.tenant_with_resources(id.of("id", "Tenant")?).await?;
    bearer.may_act_on(tenant.lead_id)?;
    Ok(Json(resources).into_response())
}
