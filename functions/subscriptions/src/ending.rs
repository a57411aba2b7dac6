use std::time::Duration;

use axum::{
    extract::{FromRequestParts, State},
    http::request::Parts,
    response::Response,
};
use domain::{Subscription, permit};
use filter::Direction;
use lambda::keys::MasterKeys;
use schema::Timestamp;
use store::{Page, Store};
use web::{Allowed, Argument, Failure, ListUrl, Result, page_response};

use crate::parameters::Parameters;

/// The default number of days, as in ARC SaaS.
const DAYS: u16 = 7;

/// The maximum number of days.
const MOST_DAYS: u16 = 366;

/// The request for subscriptions that end within some days, and the position to continue from.
#[derive(Clone, Debug)]
pub(crate) struct Within {
    time: Duration,
    cursor: Option<String>,
    url: ListUrl,
}

impl<S: Send + Sync> FromRequestParts<S> for Within {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let url = ListUrl::of(parts);
        let given = Parameters::read(Some(url.query()), &["days", "cursor"])?;
        let days = given.days("days", DAYS, MOST_DAYS)?;
        let cursor = given.get("cursor").map(str::to_owned);
        Ok(Self { time: Duration::from_secs(u64::from(days) * 24 * 3600), cursor, url })
    }
}

impl Argument for Within {}

/// `GET /subscriptions/expire-soon`: lists the subscriptions that end within some days, the first to
/// end first. A subscription that renews does not end.
pub(crate) async fn expire_soon(
    State(store): State<Store>,
    State(keys): State<MasterKeys>,
    Allowed { bearer, .. }: Allowed<permit::ViewSubscription>,
    Within { time, cursor, url }: Within,
) -> Result<Response> {
    let cursor = url.open(cursor.as_ref(), &bearer, &keys)?;
    let until = lambda::now() + time;
    let mut ending = store.ending_subscriptions(until, bearer.lead()).await?;
    ending.retain(|stored| stored.item.ends_on().is_some_and(|end| end <= until));
    let place = |one: &Subscription| place(one, one.ends_on());
    let page = Page::by_place(ending, Direction::Ascending, cursor, place)?;
    page_response(&url, page, &bearer, &keys)
}

/// `GET /subscriptions/expired`: lists the subscriptions that have expired within some days, the
/// latest first.
pub(crate) async fn expired(
    State(store): State<Store>,
    State(keys): State<MasterKeys>,
    Allowed { bearer, .. }: Allowed<permit::ViewSubscription>,
    Within { time, cursor, url }: Within,
) -> Result<Response> {
    let cursor = url.open(cursor.as_ref(), &bearer, &keys)?;
    let now = lambda::now();
    let mut expired = store.expired_subscriptions(bearer.lead()).await?;
    expired.retain(|stored| stored.item.ended_on.is_some_and(|end| end + time >= now));
    let place = |one: &Subscription| place(one, one.ended_on);
    let page = Page::by_place(expired, Direction::Descending, cursor, place)?;
    page_response(&url, page, &bearer, &keys)
}

/// Returns the place of a subscription that ends at this time.
fn place(one: &Subscription, end: Option<Timestamp>) -> String {
    format!("{}#{}", end.map(|end| end.to_string()).unwrap_or_default(), one.id)
}
