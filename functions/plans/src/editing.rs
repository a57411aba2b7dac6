//! The shared edits, for bodies whose tier is known.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use domain::{Edit, Error, Plan, Tiers, permit};
use schema::Document;
use web::{AllowedBoth, Body, IfMatch, Once, Operator, PathIds, Result};

/// `PATCH /plans/{id}`: omitted members keep their values.
pub(crate) async fn update(
    State(tiers): State<Arc<Tiers>>,
    operator: Operator<permit::UpdatePlan>,
    once: Once,
    expected: IfMatch,
    path: PathIds,
    body: Body,
) -> Result<Response> {
    with_known_tier(&tiers, &body.0, Edit::<Plan>::patch(&body.0))?;
    web::update::<Plan>(operator.into(), once, expected, path, body).await
}

/// `PUT /plans/{id}`: omitted optional members get their defaults.
pub(crate) async fn replace(
    State(tiers): State<Arc<Tiers>>,
    operator: Operator<permit::UpdatePlan>,
    once: Once,
    expected: IfMatch,
    path: PathIds,
    body: Body,
) -> Result<Response> {
    with_known_tier(&tiers, &body.0, Edit::<Plan>::put(&body.0))?;
    web::replace::<Plan>(operator.into(), once, expected, path, body).await
}

/// `PATCH /plans?where=`: the same edit for every match.
pub(crate) async fn update_all(
    State(tiers): State<Arc<Tiers>>,
    _: Operator<permit::UpdatePlan>,
    allowed: AllowedBoth<permit::UpdatePlan, permit::ViewPlan>,
    once: Once,
    expected: IfMatch,
    query: RawQuery,
    body: Body,
) -> Result<Response> {
    with_known_tier(&tiers, &body.0, Edit::<Plan>::patch(&body.0))?;
    web::update_all::<Plan>(allowed, once, expected, query, body).await
}

/// Returns what was read from `body`, unless its tier is unknown. The violation is reported together
/// with all others.
pub(crate) fn with_known_tier<T>(
    tiers: &Tiers,
    body: &Document,
    read: domain::Result<T>,
) -> domain::Result<T> {
    let Some(unknown) = tiers.violation(&body.value()["tier"], "/tier") else { return read };
    match read {
        Ok(_) => Err(Error::Invalid(vec![unknown])),
        Err(Error::Invalid(mut violations)) => {
            if violations.iter().all(|one| one.path != unknown.path) {
                violations.push(unknown);
            }
            Err(Error::Invalid(violations))
        }
        Err(other) => Err(other),
    }
}
