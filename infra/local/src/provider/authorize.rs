//! `GET /authorize`: asks who signs in, and returns to the client with a code (RFC 6749 §4.1.1).

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{RawQuery, State as Shared},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use url::{Url, form_urlencoded};

use super::{
    CLIENT, Provider,
    codes::Grant,
    is_callback,
    parameters::Parameters,
    people::{PEOPLE, Person},
};
use crate::pages::html;

/// The parameter with which the page's links select a person.
const PERSON: &str = "person";

/// Length of an S256 challenge, in characters.
const CHALLENGE_LENGTH: usize = 43;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    /// The query of a link, with the person it selects.
    links: Vec<(String, &'static Person)>,
    cancel: String,
}

#[derive(Template)]
#[template(path = "sign_in_refused.html")]
struct RefusedPage {
    reason: &'static str,
}

pub(super) async fn authorize(
    Shared(provider): Shared<Arc<Provider>>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let Ok(asked) = Parameters::parse(query.as_bytes()) else {
        return refused("A parameter is included more than once.");
    };
    if asked.get("client_id") != Some(CLIENT) {
        return refused("The client is not known.");
    }
    let redirect_uri = asked.get("redirect_uri").filter(|uri| is_callback(uri));
    let Some(mut back) = redirect_uri.and_then(|uri| Url::parse(uri).ok()) else {
        return refused("The redirect URI is not the callback of this machine.");
    };
    let answer = match (check(&asked), asked.get(PERSON)) {
        (Err(error), _) => ("error", error.to_owned()),
        (Ok(_), Some("")) | (Ok(_), None) => return page(&query),
        (Ok(challenge), Some(person)) => match Person::of(person) {
            Some(person) => (
                "code",
                provider.codes.issue(Grant {
                    person,
                    redirect_uri: asked.get("redirect_uri").unwrap_or_default().to_owned(),
                    challenge: challenge.to_owned(),
                    nonce: asked.get("nonce").map(str::to_owned),
                    granted_at: lambda::now(),
                }),
            ),
            None => ("error", "access_denied".to_owned()),
        },
    };
    back.query_pairs_mut().append_pair(answer.0, &answer.1);
    if let Some(state) = asked.get("state") {
        back.query_pairs_mut().append_pair("state", state);
    }
    back.query_pairs_mut().append_pair("iss", &provider.issuer);
    Redirect::to(back.as_str()).into_response()
}

/// Returns the challenge of a request, or the code of its error (RFC 6749 §4.1.2.1).
fn check(asked: &Parameters) -> Result<&str, &'static str> {
    if asked.get("response_type") != Some("code") {
        return Err("unsupported_response_type");
    }
    if !asked.get("scope").is_some_and(|scopes| scopes.split(' ').any(|scope| scope == "openid")) {
        return Err("invalid_scope");
    }
    let challenge = asked.get("code_challenge").filter(|text| text.len() == CHALLENGE_LENGTH);
    let is_s256 = asked.get("code_challenge_method") == Some("S256");
    challenge.filter(|_| is_s256).ok_or("invalid_request")
}

/// Asks who signs in. Each link repeats the request, with a person.
fn page(query: &str) -> Response {
    let link = |person: &str| {
        let person =
            form_urlencoded::Serializer::new(String::new()).append_pair(PERSON, person).finish();
        format!("?{query}&{person}")
    };
    let links = PEOPLE.iter().map(|person| (link(person.id), person)).collect();
    html(&SignInPage { links, cancel: link("nobody") })
}

/// Refuses a request without returning to an address that it names.
fn refused(reason: &'static str) -> Response {
    (StatusCode::BAD_REQUEST, html(&RefusedPage { reason })).into_response()
}
