use axum::{extract::State, response::Response};
use domain::{
    Catalog, Error, IdentityProvider, Isolation, Job, JobKind, LeadPlans, Namer, NewProvisioning,
    PlanChoice, Result as Decided, SubscriptionText, Tenant, TenantId, UserId, Work, permit,
};
use lambda::token::Bearer;
use schema::Timestamp;
use store::{Store, Stored, TenantToBuild, retry_if_stale};
use web::{Allowed, Body, EntityTag, IfMatch, Once, PathIds, Reply, RequestId, Result, Scope};

use crate::{Plans, by_plan};

/// `POST /tenants/{id}/provision`: opens a provisioning job, for a plan by its ID or for the terms in
/// the body. The answer is sent once the job is stored; the build runs later.
pub(crate) async fn provision(
    State(plans): State<Plans>,
    Allowed { bearer, .. }: Allowed<permit::ProvisionTenant>,
    RequestId(request): RequestId,
    once: Once,
    expected: IfMatch,
    path: PathIds,
    Body(body): Body,
) -> Result<Response> {
    let subscription = match NewProvisioning::from_body(&body, &plans.tiers)? {
        NewProvisioning::FreeForm(subscription) => subscription,
        NewProvisioning::Plan(plan) => {
            let caller = Caller { bearer, expected, request, own_terms: None };
            return by_plan::open(once, &caller, &plans, path.id()?, plan).await;
        }
    };
    let isolation = plans.tiers.isolation(subscription.tier().as_str());
    let own_terms = bearer.lead().map(|_| plans.leads);
    let caller = Caller { bearer, expected, request, own_terms };
    open(once, &caller, path.id()?, |from, opening| {
        plans.build(from, subscription.clone(), isolation, opening)
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
        failed.check_subscription(from.current.as_ref().map(|current| current.item.id))?;
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
        let (tenant, at) = (&from.tenant.item, (opening.now, opening.by));
        Job::open_deprovisioning(tenant, from.contacts, &from.jobs, plans.expiry, at)
    })
    .await
}

const OPENING: &str = "opening a job";

/// The caller, the version it expects, and the ID of the request.
pub(crate) struct Caller {
    pub(crate) bearer: Bearer,
    pub(crate) expected: IfMatch,
    pub(crate) request: String,
    /// The rule for terms in the body, if the caller is a lead that sends them.
    pub(crate) own_terms: Option<LeadPlans>,
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
pub(crate) struct Opening<'a> {
    bearer: &'a Bearer,
    pub(crate) by: &'a UserId,
    pub(crate) now: Timestamp,
}

impl Caller {
    /// Checks that the tenant has an expected version, and that the caller may change it.
    pub(crate) fn check(&self, tenant: &Stored<Tenant>) -> Decided<()> {
        self.expected.check(tenant.version)?;
        self.bearer.may_change(&tenant.item)
    }

    pub(crate) fn opening(&self) -> Opening<'_> {
        Opening { bearer: &self.bearer, by: &self.bearer.id, now: lambda::now() }
    }
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
    /// Opens the job that builds a tenant for a subscription.
    pub(crate) fn build(
        &self,
        from: TenantToBuild,
        subscription: SubscriptionText,
        isolation: Isolation,
        opening: &Opening<'_>,
    ) -> Decided<Job> {
        from.tenant.item.status_after_opening(JobKind::Provision)?;
        Job::check_isolation(&from.tenant.item, &from.jobs, isolation)?;
        opening.check_build_limit(&from)?;
        let identity_provider = self.provider_of(&from)?;
        let work = Work { kind: JobKind::Provision, subscription, isolation, identity_provider };
        Job::open(&from.tenant.item, from.contacts, work, self.expiry, opening.now, opening.by)
    }

    /// Returns the identity provider at which a tenant is set up after its build.
    fn provider_of(&self, from: &TenantToBuild) -> Decided<Option<IdentityProvider>> {
        match &from.identity {
            Some(config) => IdentityProvider::of_config(config),
            None => Ok(self.provider),
        }
    }
}

/// Opens the job of a tenant that `job` decides on.
pub(crate) async fn open(
    once: Once,
    caller: &Caller,
    id: TenantId,
    job: impl Fn(TenantToBuild, &Opening<'_>) -> Decided<Job>,
) -> Result<Response> {
    let opened = once.run(Scope::Bearer(&caller.bearer), |attempt| async move {
        let opened = retry_if_stale(|| async {
            let store = &attempt.store;
            let (from, allowed) =
                tokio::join!(store.tenant_to_build(id), check_own_terms(caller.own_terms, store));
            let from = from?;
            caller.bearer.may_act_on(from.tenant.item.lead_id)?;
            allowed?;
            caller.check(&from.tenant)?;
            let (tenant, current) = (from.tenant.clone(), from.current.clone());
            let id = current.as_ref().map(|current| current.item.id);
            let job = job(from, &caller.opening())?.with_subscription(id);
            let reply = accepted(&tenant, &job);
            let store = attempt.recording(&reply);
            store.open_job(&tenant, current.as_ref(), &job, &caller.request).await?;
            Ok(reply)
        });
        Ok(opened.await?)
    });
    Box::pin(opened).await
}

/// Returns the answer to a request that opens a job.
pub(crate) fn accepted(tenant: &Stored<Tenant>, job: &Job) -> Reply {
    let location = format!("/tenants/{}/jobs/{}", tenant.item.id, job.id);
    Reply::no_content().located_at(location).tagged(EntityTag(tenant.version + 1))
}
