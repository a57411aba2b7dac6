use axum::{extract::State, response::Response};
use domain::{
    Catalog, Error, IdentityProvider, Job, JobKind, LeadPlans, Namer, PlanChoice,
    Result as Decided, SubscriptionText, TenantId, UserId, Work, permit,
};
use lambda::token::Bearer;
use schema::Timestamp;
use store::{Store, Stored, TenantToBuild, retry_if_stale};
use web::{Allowed, Body, EntityTag, IfMatch, Once, PathIds, Reply, RequestId, Result, Scope};

use crate::Plans;

/// `POST /tenants/{id}/provision`: opens a provisioning job. The answer is sent once the job is
/// stored; the build runs later.
pub(crate) async fn provision(
    State(plans): State<Plans>,
    Allowed { bearer, .. }: Allowed<permit::ProvisionTenant>,
    RequestId(request): RequestId,
    once: Once,
    expected: IfMatch,
    path: PathIds,
    Body(body): Body,
) -> Result<Response> {
    let subscription = SubscriptionText::from_text(body.text(), &plans.tiers)?;
    let isolation = plans.tiers.isolation(subscription.tier().as_str());
    let own_terms = bearer.lead().map(|_| plans.leads);
    let caller = Caller { bearer, expected, request, own_terms };
    open(once, &caller, path.id()?, |from, opening| {
        from.tenant.item.status_after_opening(JobKind::Provision)?;
        opening.check_build_limit(&from)?;
        let identity_provider = plans.provider_of(&from)?;
        let (kind, subscription) = (JobKind::Provision, subscription.clone());
        let work = Work { kind, subscription, isolation, identity_provider };
        Job::open(&from.tenant.item, from.contacts, work, plans.expiry, opening.now, opening.by)
    })
    .await
}

/// `POST /tenants/{id}/identity`: opens a job that only repeats the failed identity set-up of the
/// latest one.
pub(crate) async fn resume_identity(
    State(plans): State<Plans>,
    Allowed { bearer, .. }: Allowed<permit::ProvisionTenant>,
    RequestId(request): RequestId,
    once: Once,
    expected: IfMatch,
    path: PathIds,
) -> Result<Response> {
    let caller = Caller { bearer, expected, request, own_terms: None };
    open(once, &caller, path.id()?, |from, opening| {
        from.tenant.item.check_identity_resumable()?;
        opening.check_build_limit(&from)?;
        let failed = from.jobs.first().ok_or("the latest job is missing");
        let failed = failed.map_err(Error::internal(OPENING))?;
        let configured = from.identity.is_some() || plans.provider.is_some();
        let provider =
            if configured { plans.provider_of(&from)? } else { failed.identity_provider };
        let (tenant, contacts) = (&from.tenant.item, from.contacts);
        failed.resume_identity(tenant, contacts, provider, opening.now, opening.by)
    })
    .await
}

/// `POST /tenants/{id}/deprovision`: opens a job that removes the tenant's resources, with the
/// pipeline that built them.
pub(crate) async fn deprovision(
    State(plans): State<Plans>,
    Allowed { bearer, .. }: Allowed<permit::DeprovisionTenant>,
    RequestId(request): RequestId,
    once: Once,
    expected: IfMatch,
    path: PathIds,
) -> Result<Response> {
    let caller = Caller { bearer, expected, request, own_terms: None };
    open(once, &caller, path.id()?, |from, opening| {
        let TenantToBuild { tenant: Stored { item: tenant, .. }, contacts, jobs, .. } = from;
        tenant.status_after_opening(JobKind::Deprovision)?;
        let built = jobs.iter().find(|job| Some(job.attempt) == tenant.built_by);
        let latest = || jobs.iter().find(|job| job.kind == JobKind::Provision);
        let work = built.or_else(latest).map(Job::to_deprovisioning);
        let work = work.ok_or("no job has built the tenant").map_err(Error::internal(OPENING))?;
        Job::open(&tenant, contacts, work, plans.expiry, opening.now, opening.by)
    })
    .await
}

const OPENING: &str = "opening a job";

/// The caller, the version it expects, and the ID of the request.
struct Caller {
    bearer: Bearer,
    expected: IfMatch,
    request: String,
    /// The rule for terms in the body, if the caller is a lead that sends them.
    own_terms: Option<LeadPlans>,
}

/// Checks that a lead may send its own terms, if the caller is one. Only `auto` depends on the catalog.
async fn check_own_terms(sent: Option<LeadPlans>, store: &Store) -> Decided<()> {
    let Some(plans) = sent else { return Ok(()) };
    let catalog = match plans {
        LeadPlans::Auto => store.catalog().await?,
        LeadPlans::Catalog | LeadPlans::Free => Catalog::Unopened,
    };
    Ok(plans.check(catalog, Namer::Lead, PlanChoice::FreeForm)?)
}

/// The caller that opens a job, and the time.
struct Opening<'a> {
    bearer: &'a Bearer,
    by: &'a UserId,
    now: Timestamp,
}

impl Opening<'_> {
    /// Checks that the caller may start another build of the tenant.
    fn check_build_limit(&self, from: &TenantToBuild) -> Decided<()> {
        match self.bearer.lead() {
            Some(_) => Job::check_build_limit(&from.jobs, self.now),
            None => Ok(()),
        }
    }
}

impl Plans {
    /// Returns the identity provider at which a tenant is set up after its build.
    fn provider_of(&self, from: &TenantToBuild) -> Decided<Option<IdentityProvider>> {
        match &from.identity {
            Some(config) => IdentityProvider::of_config(config),
            None => Ok(self.provider),
        }
    }
}

/// Opens the job of a tenant that `job` decides on.
async fn open(
    once: Once,
    Caller { bearer, expected, request, own_terms }: &Caller,
    id: TenantId,
    job: impl Fn(TenantToBuild, &Opening<'_>) -> Decided<Job>,
) -> Result<Response> {
    let opened = once.run(Scope::Bearer(bearer), |attempt| async move {
        let opened = retry_if_stale(|| async {
            let store = &attempt.store;
            let (from, allowed) =
                tokio::join!(store.tenant_to_build(id), check_own_terms(*own_terms, store));
            let from = from?;
            bearer.may_act_on(from.tenant.item.lead_id)?;
            allowed?;
            expected.check(from.tenant.version)?;
            bearer.may_change(&from.tenant.item)?;
            let tenant = from.tenant.clone();
            let opening = Opening { bearer, by: &bearer.id, now: lambda::now() };
            let current = from.current.as_ref().map(|current| current.item.id);
            let job = job(from, &opening)?.with_subscription(current);
            let location = format!("/tenants/{id}/jobs/{}", job.id);
            let tag = EntityTag(tenant.version + 1);
            let reply = Reply::no_content().located_at(location).tagged(tag);
            attempt.recording(&reply).open_job(&tenant, &job, request).await?;
            Ok(reply)
        });
        Ok(opened.await?)
    });
    Box::pin(opened).await
}
