use axum::{
    extract::State,
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use domain::{Error, Job, JobKind, Subscription, Tenant, TenantId, Work, permit};
use lambda::token::Bearer;
use store::{Store, retry_if_stale};
use web::{Allowed, Body, PathIds, RequestId, Result};

use crate::Plans;

/// `POST /tenants/{id}/provision`: opens a provisioning job. The answer is sent once the job is
/// stored; the build runs later.
pub(crate) async fn provision(
    State(store): State<Store>,
    State(plans): State<Plans>,
    Allowed { bearer, .. }: Allowed<permit::ProvisionTenant>,
    RequestId(request): RequestId,
    path: PathIds,
    Body(body): Body,
) -> Result<Response> {
    let subscription = Subscription::from_text(body.text(), &plans.tiers)?;
    let isolation = plans.tiers.isolation(subscription.tier().as_str());
    let work = Work { kind: JobKind::Provision, subscription, isolation };
    let caller = Caller { bearer, request };
    let tenant = path.id()?;
    open(&store, &plans, &caller, tenant, JobKind::Provision, |_, _| Some(work.clone())).await
}

/// `POST /tenants/{id}/deprovision`: opens a job that removes the tenant's resources, with the
/// pipeline that built them.
pub(crate) async fn deprovision(
    State(store): State<Store>,
    State(plans): State<Plans>,
    Allowed { bearer, .. }: Allowed<permit::DeprovisionTenant>,
    RequestId(request): RequestId,
    path: PathIds,
) -> Result<Response> {
    let caller = Caller { bearer, request };
    let tenant = path.id()?;
    open(&store, &plans, &caller, tenant, JobKind::Deprovision, |tenant, jobs| {
        let built = jobs.iter().find(|job| Some(job.attempt) == tenant.built_by);
        let latest = || jobs.iter().find(|job| job.kind == JobKind::Provision);
        built.or_else(latest).map(Job::to_deprovisioning)
    })
    .await
}

/// The caller, and the ID of the request.
struct Caller {
    bearer: Bearer,
    request: String,
}

/// Opens a job for a tenant. `work` gets the tenant and its earlier jobs, newest first.
async fn open(
    store: &Store,
    plans: &Plans,
    Caller { bearer, request }: &Caller,
    id: TenantId,
    kind: JobKind,
    work: impl Fn(&Tenant, &[Job]) -> Option<Work>,
) -> Result<Response> {
    let job = retry_if_stale(|| async {
        let (tenant, contacts, jobs) = store.tenant_with_contacts_and_jobs(id).await?;
        bearer.may_act_on(tenant.lead_id)?;
        tenant.status_after_opening(kind)?;
        if kind == JobKind::Provision && bearer.lead().is_some() {
            Job::check_build_limit(&jobs, lambda::now())?;
        }
        let work = work(&tenant, &jobs).ok_or("no job has built the tenant");
        let work = work.map_err(Error::internal("opening a job"))?;
        let job = Job::open(&tenant, contacts, work, plans.expiry, lambda::now(), &bearer.id)?;
        store.open_job(&tenant, &job, request).await?;
        Ok(job)
    })
    .await?;
    let location = format!("/tenants/{id}/jobs/{}", job.id);
    Ok((StatusCode::NO_CONTENT, [(LOCATION, location)]).into_response())
}
