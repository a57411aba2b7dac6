use axum::{extract::State, response::Response};
use domain::{Decision, PaymentSignal, permit};
use store::{Store, retry_if_stale};
use web::{IfMatch, Json, Once, Operator, PathIds, RequestId, Result, Scope};

use crate::{actions::Caller, shown_again};

/// `POST /subscriptions/{id}/payments`: takes a signal of a billing system. A signal whose reference
/// is known has no further effect.
pub(crate) async fn report(
    State(store): State<Store>,
    Operator { bearer, .. }: Operator<permit::UpdateSubscription>,
    RequestId(request): RequestId,
    once: Once,
    expected: IfMatch,
    path: PathIds,
    Json(signal): Json<PaymentSignal>,
) -> Result<Response> {
    let caller = Caller { bearer, expected, path, request };
    let (caller, signal) = (&caller, &signal);
    let again = |id| shown_again(&store, id);
    let taken = once.run_or_rebuild(Scope::Bearer(&caller.bearer), again, |attempt| async move {
        let taken = retry_if_stale(|| async {
            let found = attempt.store.signalled(caller.path.id()?, signal).await?;
            let before = &found.subscribed;
            let subscription = before.subscription.item.clone();
            let Some(invoice) = found.invoice else {
                let known = Decision::new(subscription);
                return Ok(caller.recording(&attempt, before, &known)?.1);
            };
            caller.check(before)?;
            let at = caller.context(before);
            let decision = subscription.signalled(signal, invoice.details.status, at)?;
            let (store, reply) = caller.recording(&attempt, before, &decision)?;
            let of = (signal, invoice.id);
            store.decide_signal(before, of, &decision, &caller.request).await?;
            Ok(reply)
        });
        Ok(taken.await?)
    });
    Box::pin(taken).await
}
