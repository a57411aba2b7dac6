use axum::{
    extract::State,
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use shared::{
    Result,
    domain::{Isolation, Job, Subscription, TenantId, permit},
    http::{Allowed, Body, Id},
    store::{Store, deciding_again},
};

use crate::Plans;

/// `POST /tenants/{id}/provision`: opens a provisioning job. It answers once that is durable; what
/// is built, is built later.
pub(crate) async fn provision(
    State(store): State<Store>,
    State(plans): State<Plans>,
    Allowed(bearer): Allowed<{ permit::PROVISION_TENANT }>,
    id: Id,
    body: Body,
) -> Result<Response> {
    let subscription = Subscription::from_body(&body.text, &body.value)?;
    let id: TenantId = id.of("id", "Tenant")?;
    let isolation = plans.isolation(subscription.tier()?.as_str());
    let job = deciding_again(|| async {
        let (tenant, contacts) = store.tenant_with_contacts(id).await?;
        bearer.may_act_on(tenant.lead_id)?;
        let (subscription, now) = (subscription.clone(), shared::now());
        let job = Job::provision(
            &tenant,
            contacts,
            subscription,
            isolation,
            plans.expiry,
            now,
            &bearer.id,
        )?;
        store.open_job(&tenant, &job).await?;
        Ok(job)
    })
    .await?;
    let location = format!("/tenants/{id}/jobs/{}", job.id);
    Ok((StatusCode::NO_CONTENT, [(LOCATION, location)]).into_response())
}

impl Plans {
    /// Whether tenants of this `tier` get resources of their own.
    fn isolation(&self, tier: &str) -> Isolation {
        if self.silo_tiers.contains(tier) { Isolation::Silo } else { Isolation::Pool }
    }
}
