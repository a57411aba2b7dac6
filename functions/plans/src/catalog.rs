//! The public list of plans.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::{
    extract::State,
    http::{HeaderValue, header::CACHE_CONTROL},
    response::{IntoResponse, Response},
};
use domain::{Entity, Plan};
use filter::Filter;
use store::{ListRequest, Store};
use web::{IfNoneMatch, Json, Result};

/// The members of a plan that the catalog shows.
pub(crate) const SHOWN: [&str; 12] = [
    "id",
    "name",
    "description",
    "tier",
    "isolation",
    "price",
    "currencyCode",
    "billingCycle",
    "trialDays",
    "revision",
    "features",
    "graceDays",
];

/// `GET /catalog`: the plans on offer, the cheapest first.
pub(crate) async fn catalog(State(store): State<Store>, known: IfNoneMatch) -> Result<Response> {
    let offered = Filter::from_query(&query(), Plan::SCHEMA)?;
    let request = ListRequest { filter: &offered, lead: None, cursor: None };
    let plans = store.list::<Plan>(request).await?.items;
    let mut digest = DefaultHasher::new();
    plans.iter().for_each(|plan| plan.get().hash(&mut digest));
    let shown = async || Ok(Json(plans).into_response());
    let mut response = known.answer(digest.finish(), shown).await?;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
    Ok(response)
}

/// Returns the query of the plans on offer, as a list takes it.
fn query() -> String {
    let filter = serde_json::json!({
        "where": { "state": "active", "public": true },
        "order": ["price ASC", "name ASC"],
        "fields": SHOWN,
        "limit": 1000,
    });
    format!("filter={filter}")
}
