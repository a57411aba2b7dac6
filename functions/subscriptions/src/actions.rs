use axum::{extract::State, response::Response};
use domain::{Cancellation, Context, Decision, Result as Decided, Subscription, permit};
use lambda::token::Bearer;
use store::{Store, Subscribed, retry_if_stale};
use web::{
    Attempt, IfMatch, Once, Operator, OptionalJson, PathIds, Reply, RequestId, Result, Scope,
};

use crate::{Subscriptions, shown, shown_again};

/// The caller of an action, the version it expects, the subscription, and the ID of the request.
pub(crate) struct Caller {
    pub(crate) bearer: Bearer,
    pub(crate) expected: IfMatch,
    pub(crate) path: PathIds,
    pub(crate) request: String,
}

/// `POST /subscriptions/{id}/cancel`: cancels a subscription, now or at the end of its period.
pub(crate) async fn cancel(
    State(Subscriptions { store, retention, .. }): State<Subscriptions>,
    Operator { bearer, .. }: Operator<permit::DeleteSubscription>,
    RequestId(request): RequestId,
    once: Once,
    expected: IfMatch,
    path: PathIds,
    OptionalJson(body): OptionalJson<Cancellation>,
) -> Result<Response> {
    let new = body.unwrap_or(Cancellation { when: None, reason: None });
    let caller = Caller { bearer, expected, path, request };
    let cancel = |subscription: Subscription, at: Context<'_>| {
        Ok(subscription.cancel(new.clone(), at)?.retaining(retention))
    };
    act(&store, once, &caller, cancel).await
}

/// `POST /subscriptions/{id}/resume`: withdraws a cancellation that has not taken effect.
pub(crate) async fn resume(
    State(store): State<Store>,
    Operator { bearer, .. }: Operator<permit::UpdateSubscription>,
    RequestId(request): RequestId,
    once: Once,
    expected: IfMatch,
    path: PathIds,
) -> Result<Response> {
    let caller = Caller { bearer, expected, path, request };
    act(&store, once, &caller, |subscription, at| Ok(subscription.resume(at)?)).await
}

/// Writes what `decide` decides about the subscription in the path, and answers with the subscription.
async fn act(
    store: &Store,
    once: Once,
    caller: &Caller,
    decide: impl Fn(Subscription, Context<'_>) -> Decided<Decision>,
) -> Result<Response> {
    let (again, decide) = (|id| shown_again(store, id), &decide);
    let acted = once.run_or_rebuild(Scope::Bearer(&caller.bearer), again, |attempt| async move {
        let acted = retry_if_stale(|| async {
            let before = caller.find_renewed(&attempt.store).await?;
            let decision = decide(before.subscription.item.clone(), caller.context(&before))?;
            let (store, reply) = caller.recording(&attempt, &before, &decision)?;
            store.decide(&before, &decision, Some(&caller.request)).await?;
            Ok(reply)
        });
        Ok(acted.await?)
    });
    Box::pin(acted).await
}

impl Caller {
    /// Returns the subscription, on which the caller may act.
    ///
    /// # Errors
    ///
    /// As [`Store::subscription`] and [`Caller::check`].
    pub(crate) async fn find(&self, store: &Store) -> Decided<Subscribed> {
        let found = store.subscription(self.path.id()?).await?;
        self.check(&found)?;
        Ok(found)
    }

    /// Returns the subscription, after the periods that have begun by now: an action must not keep them
    /// from being invoiced because the clock is late.
    ///
    /// # Errors
    ///
    /// As [`Caller::find`], and [`Error::Stale`](domain::Error::Stale) if the clock acts at the same time.
    pub(crate) async fn find_renewed(&self, store: &Store) -> Decided<Subscribed> {
        let mut found = self.find(store).await?;
        while let Some(renewal) = found.subscription.item.late_renewal(self.context(&found)) {
            store.decide(&found, &renewal, None).await?;
            found = store.subscription(found.subscription.item.id).await?;
        }
        Ok(found)
    }

    /// Checks that the caller may act on this version of a subscription.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`](domain::Error::Forbidden) and
    /// [`Error::PreconditionFailed`](domain::Error::PreconditionFailed).
    pub(crate) fn check(&self, before: &Subscribed) -> Decided<()> {
        self.bearer.may_act_on(before.tenant.item.lead_id)?;
        self.expected.check(before.subscription.version)
    }

    /// Returns the circumstances of the action.
    pub(crate) fn context(&self, before: &Subscribed) -> Context<'_> {
        Context { tenant: before.tenant.item.standing(), now: lambda::now(), by: &self.bearer.id }
    }

    /// Returns the answer to a decision, and the store that records the answer with the decision.
    pub(crate) fn recording(
        &self,
        attempt: &Attempt,
        before: &Subscribed,
        decision: &Decision,
    ) -> Decided<(Store, Reply)> {
        let reply = shown(&decision.subscription, before.version_after(decision))?;
        Ok((attempt.recording(&reply), reply))
    }
}
