use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use shared::{
    Result,
    domain::{JobView, Tenant, TenantId, TenantView, permit},
    http::{Allowed, Id, Json, ListQuery, linked},
    keys::MasterKeys,
    store::{Cursor, Page, Store},
    token::Bearer,
};

/// A caller who may see tenants.
type Viewer = Allowed<{ permit::VIEW_TENANT }>;

/// `GET /tenants`: newest first, about a second behind.
pub(crate) async fn list(
    State(store): State<Store>,
    State(keys): State<MasterKeys>,
    Allowed(bearer): Viewer,
    query: ListQuery,
) -> Result<Response> {
    let page = match bearer.lead() {
        Some(_) => own(&store, &bearer).await?,
        None => {
            let after = query.cursor.map(|sealed| Cursor::open(&sealed, "tenant", &keys));
            store.tenants(query.limit, after.transpose()?.as_ref()).await?
        }
    };
    let views: Vec<_> = page.items.iter().map(TenantView::from).collect();
    let next = page.next.map(|cursor| cursor.seal(&keys));
    Ok(linked("/tenants", query.limit, views, next.as_deref()))
}

/// The list that a lead sees: the tenant that came from it.
async fn own(store: &Store, bearer: &Bearer) -> Result<Page<Tenant>> {
    let mut items = Vec::new();
    if let Some(lead) = bearer.lead()
        && let Some(tenant) = store.lead(lead).await?.tenant_id
    {
        items.push(store.tenant(tenant).await?);
    }
    Ok(Page { items, next: None })
}

/// `GET /tenants/{id}`.
pub(crate) async fn view(
    State(store): State<Store>,
    Allowed(bearer): Viewer,
    id: Id,
) -> Result<Response> {
    let tenant = store.tenant(id.of("id", "Tenant")?).await?;
    bearer.may_act_on(tenant.lead_id)?;
    Ok(Json(TenantView::from(&tenant)).into_response())
}

/// `GET /tenants/{id}/jobs`: every attempt, newest first.
pub(crate) async fn jobs(
    State(store): State<Store>,
    Allowed(bearer): Viewer,
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
    Allowed(bearer): Viewer,
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
    Allowed(bearer): Viewer,
    id: Id,
) -> Result<Response> {
    let (tenant, resources) = store.tenant_with_resources(id.of("id", "Tenant")?).await?;
    bearer.may_act_on(tenant.lead_id)?;
    Ok(Json(resources).into_response())
}
