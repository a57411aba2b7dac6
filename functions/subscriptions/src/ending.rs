use std::time::Duration;

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use domain::{Entity, Result as Decided, Subscription, permit};
use filter::Wire;
use store::{Store, Stored};
use web::{Allowed, Reply, Result};

use axum::response::IntoResponse;

use crate::parameters::Parameters;

/// The default number of days, as in ARC SaaS.
const DAYS: u16 = 7;

/// The maximum number of days.
const MOST_DAYS: u16 = 366;

/// `GET /subscriptions/expire-soon`: lists the subscriptions that end within some days, the first to
/// end first. A subscription that renews does not end.
pub(crate) async fn expire_soon(
    State(store): State<Store>,
    Allowed { bearer, .. }: Allowed<permit::ViewSubscription>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let now = lambda::now();
    let until = now + days(query.as_deref())?;
    let ending = store.ending_subscriptions(until, bearer.lead()).await?;
    list(ending.into_iter().filter(|stored| stored.item.ends_on().is_some_and(|end| end <= until)))
}

/// `GET /subscriptions/expired`: lists the subscriptions that have expired within some days, the
/// latest first.
pub(crate) async fn expired(
    State(store): State<Store>,
    Allowed { bearer, .. }: Allowed<permit::ViewSubscription>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let (now, time) = (lambda::now(), days(query.as_deref())?);
    let mut expired = store.expired_subscriptions(bearer.lead()).await?;
    expired.retain(|stored| stored.item.ended_on.is_some_and(|end| end + time >= now));
    expired.sort_by_key(|stored| std::cmp::Reverse(stored.item.ended_on));
    list(expired.into_iter())
}

fn days(query: Option<&str>) -> Decided<Duration> {
    let days = Parameters::read(query, &["days"])?.days("days", DAYS, MOST_DAYS)?;
    Ok(Duration::from_secs(u64::from(days) * 24 * 3600))
}

fn list(found: impl Iterator<Item = Stored<Subscription>>) -> Result<Response> {
    let wires: Vec<_> = found.map(|stored| stored.item.wire()).collect::<Decided<_>>()?;
    let shown: Vec<_> = wires.iter().map(|wire| Wire::new(Subscription::SCHEMA, wire)).collect();
    Ok(Reply::json(&shown)?.into_response())
}
