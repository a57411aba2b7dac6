//! The clock as JSON.

use std::sync::Arc;

use axum::{
    Json,
    extract::State as Shared,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use schema::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock::{Clock, span};

/// The clock, if all functions read it.
#[derive(Clone, Debug)]
pub(crate) struct MovableClock(pub(crate) Option<Arc<Clock>>);

/// The body of a request that moves the clock. Browsers send its content type to other origins only
/// after asking, so no website can move it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Move {
    advance: String,
}

pub(super) async fn show() -> Json<Value> {
    time(lambda::now())
}

pub(super) async fn advance(
    Shared(MovableClock(clock)): Shared<MovableClock>,
    Json(Move { advance }): Json<Move>,
) -> Response {
    let Some(clock) = clock else {
        let hint = "Another program serves the HTTP functions. Its clock cannot be moved.\n";
        return (StatusCode::CONFLICT, hint).into_response();
    };
    let time_span = match span(&advance, lambda::now()) {
        Ok(time_span) => time_span,
        Err(hint) => return (StatusCode::BAD_REQUEST, format!("{hint}\n")).into_response(),
    };
    match clock.advance(time_span).await {
        Ok(now) => time(now).into_response(),
        Err(cause) => {
            tracing::error!(%cause, "the clock was moved, but not all work is done");
            (StatusCode::INTERNAL_SERVER_ERROR, format!("{cause}\n")).into_response()
        }
    }
}

fn time(now: Timestamp) -> Json<Value> {
    Json(json!({ "now": now }))
}
