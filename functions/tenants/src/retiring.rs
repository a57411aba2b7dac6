use axum::{extract::State, response::Response};
use domain::{Context, Job, permit};
use web::{IfMatch, Once, Operator, PathIds, RequestId, Result};

use crate::{
    Plans,
    provisioning::{Caller, open},
};

/// `POST /tenants/{id}/retire`: opens a job that removes the resources which the tenant had before it
/// was moved, with the pipeline that built them.
pub(crate) async fn retire(
    State(plans): State<Plans>,
    Operator { bearer, .. }: Operator<permit::ProvisionTenant>,
    RequestId(request): RequestId,
    once: Once,
    expected: IfMatch,
    path: PathIds,
) -> Result<Response> {
    let caller = Caller { bearer, expected, request, own_terms: None };
    open(once, &caller, path.id()?, |from, opening| {
        let tenant = &from.tenant.item;
        let at = Context { tenant: tenant.standing(), now: opening.now, by: opening.by };
        let rules = (&plans.tiers, plans.expiry);
        Job::open_retirement(tenant, from.contacts, &from.jobs, rules, at)
    })
    .await
}
