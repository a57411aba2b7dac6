//! The pages under `/_local`: emails, events, pipelines and dead letters, newest first, and the
//! clock.
//!
//! Each page is also available as JSON, at its address with `.json` appended.

mod clock;
mod views;

use std::sync::Arc;

use askama::Template;
use axum::{
    Json, Router,
    extract::{Path, State as Shared},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use serde::Serialize;

use crate::state::State;
pub(crate) use clock::MovableClock;
use views::{DeadLetters, Events, Index, MailPage, Mails, Missing, Pipelines};

/// The links on the first page.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Links {
    /// The HTTP API.
    pub(crate) base_url: String,
    /// The endpoints of AWS services, by variable.
    pub(crate) endpoints: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
struct Pages {
    state: Arc<State>,
    links: Links,
}

/// Returns the router of the pages.
pub(crate) fn router(state: Arc<State>, links: Links, clock: MovableClock) -> Router {
    let clock = get(clock::show).post(clock::advance).with_state(clock);
    Router::new()
        .route("/_local/clock", clock)
        .route("/_local", get(index))
        .route("/_local/", get(index))
        .route("/_local/{page}", get(page))
        .route("/_local/mails/{id}", get(mail))
        .with_state(Pages { state, links })
}

async fn index(Shared(pages): Shared<Pages>) -> Response {
    html(&Index { links: &pages.links })
}

async fn page(Shared(pages): Shared<Pages>, Path(name): Path<String>) -> Response {
    let state = &pages.state;
    let (name, as_json) = stem(&name);
    let answer = match name {
        "mails" => state.mails().map(|mails| show(as_json, &mails, || Mails { mails: &mails })),
        "events" => {
            state.events().map(|events| show(as_json, &events, || Events { events: &events }))
        }
        "pipelines" => state
            .executions()
            .map(|executions| show(as_json, &executions, || Pipelines { executions: &executions })),
        "dead-letters" => state
            .dead_letters()
            .map(|letters| show(as_json, &letters, || DeadLetters { letters: &letters })),
        _ => return missing(),
    };
    answer.unwrap_or_else(|cause| failed(&cause))
}

async fn mail(Shared(pages): Shared<Pages>, Path(id): Path<String>) -> Response {
    let (id, as_json) = stem(&id);
    let Ok(id) = id.parse() else { return missing() };
    match pages.state.mail(id) {
        Ok(Some(mail)) => show(as_json, &mail, || MailPage { mail: &mail }),
        Ok(None) => missing(),
        Err(cause) => failed(&cause),
    }
}

/// Returns the name without `.json`, and whether JSON is requested.
fn stem(name: &str) -> (&str, bool) {
    name.strip_suffix(".json").map_or((name, false), |name| (name, true))
}

fn show<P: Template>(as_json: bool, data: &impl Serialize, page: impl FnOnce() -> P) -> Response {
    if as_json { Json(data).into_response() } else { html(&page()) }
}

/// Renders a page. Scripts are not allowed.
pub(crate) fn html(page: &impl Template) -> Response {
    // Images in emails may come from anywhere.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src http: https: data:; \
                  frame-src 'self'";
    match page.render() {
        Ok(text) => ([("content-security-policy", policy)], Html(text)).into_response(),
        Err(cause) => {
            tracing::error!(%cause, "a page cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn missing() -> Response {
    (StatusCode::NOT_FOUND, html(&Missing)).into_response()
}

fn failed(cause: &rusqlite::Error) -> Response {
    tracing::error!(%cause, "the state cannot be read");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
