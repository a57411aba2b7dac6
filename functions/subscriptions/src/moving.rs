use domain::{Context, Job, Move, MoveRules, Permission, Result as Decided, Subscription, permit};
use lambda::token::Bearer;
use store::{Store, Stored};

/// The caller of an operation, and the ID of the request.
pub(crate) struct Requester {
    pub(crate) bearer: Bearer,
    pub(crate) request: String,
}

/// Prepares the job that moves the tenant of a subscription to other terms. The caller also needs the
/// permission to provision tenants.
///
/// # Errors
///
/// [`Error::Forbidden`](domain::Error::Forbidden) without that permission, and
/// [`Error::Stale`](domain::Error::Stale) if the tenant has changed since its version was read.
pub(crate) async fn prepare_move(
    store: &Store,
    bearer: &Bearer,
    subscription: &Subscription,
    (change, version): (Move, u64),
    rules: &MoveRules,
    at: Context<'_>,
) -> Decided<Job> {
    bearer.must_have_one(Permission::granting::<permit::ProvisionTenant>())?;
    let from = store.tenant_to_build(subscription.tenant_id).await?;
    let Stored { item: tenant, version: read } = &from.tenant;
    if *read != version {
        return Err(domain::Error::Stale);
    }
    Job::open_move(tenant, from.contacts, subscription, change, rules, at)
}
