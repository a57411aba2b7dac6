//! Errors of the sign-in: a page for a browser, the usual envelope for other clients.

use std::sync::LazyLock;

use askama::Template;
use axum::{
    http::{
        HeaderMap,
        header::{ACCEPT, CONTENT_SECURITY_POLICY},
    },
    response::{Html, IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use domain::Error;
use ring::digest;
use web::{Code, Failure, code};

use crate::provider::Person;

/// The style of the page. It is part of the page, because the function has no other files.
const STYLE: &str = "\
:root{color-scheme:light dark;font-family:system-ui,sans-serif;line-height:1.5}\
body{margin:0;display:grid;min-height:100vh;place-items:center;background:light-dark(#f6f7f9,#14171c)}\
main{box-sizing:border-box;width:min(34rem,100%);padding:2rem;background:light-dark(#fff,#1d2128);\
border-radius:.75rem}\
h1{margin:.25rem 0 .75rem;font-size:1.5rem}.app{margin:0;font-weight:600}\
dt{font-weight:600}dd{margin:0 0 .5rem;overflow-wrap:anywhere}\
a{display:inline-block;margin-right:1rem;padding:.5rem 0;color:light-dark(#0b5cad,#8cc2ff)}\
.code{margin-bottom:0;color:light-dark(#4a5260,#b4bcc8)}";

/// The content security policy of the page: its own style, and nothing else.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = BASE64_STANDARD.encode(digest::digest(&digest::SHA256, STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    )
});

/// An error, with what the person needs to have it solved.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) error: Error,
    person: Option<Shown>,
}

/// The person that has no role.
#[derive(Debug)]
struct Shown {
    name: String,
    subject: String,
    claims: String,
    lacks_groups: bool,
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    app: &'a str,
    style: &'static str,
    title: &'static str,
    advice: &'a str,
    person: Option<&'a Shown>,
    status: u16,
    code: &'static str,
}

impl Problem {
    /// Creates the problem of a person without a role. `claims` are those that grants look at.
    pub(crate) fn without_role(person: Person, mut claims: Vec<String>) -> Self {
        if claims.is_empty() {
            claims.push("none, because OPERATOR_ROLES has no grants".to_owned());
        }
        let Person { subject, profile, lacks_groups } = person;
        let shown = Shown { name: profile.name, subject, claims: claims.join(", "), lacks_groups };
        Self { error: Error::NoRole, person: Some(shown) }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self { error, person: None }
    }
}

/// Returns the answer to a request that failed.
pub(crate) fn answer(problem: Problem, headers: &HeaderMap, app: &str) -> Response {
    let accepts = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    if !accepts.is_some_and(|accept| accept.contains("text/html")) {
        return Failure(problem.error).into_response();
    }
    let (code, advice) = (code(&problem.error), advice(&problem.error));
    let page = ProblemPage {
        app,
        style: STYLE,
        title: title(code),
        advice: &advice,
        person: problem.person.as_ref(),
        status: code.status().as_u16(),
        code: code.as_str(),
    };
    let page = page.render();
    // Logs the error, and sets the status and the headers that belong to it.
    let failure = Failure(problem.error).into_response();
    match page {
        Ok(html) => {
            let policy = [
                (CONTENT_SECURITY_POLICY, POLICY.as_str()),
                (axum::http::header::REFERRER_POLICY, "no-referrer"),
            ];
            (failure.status(), policy, Html(html)).into_response()
        }
        Err(_) => failure,
    }
}

fn title(code: Code) -> &'static str {
    match code {
        Code::NoRole => "You have no role yet",
        Code::OperatorDisabled => "Your account is disabled",
        Code::SignInRefused => "Sign-in was refused",
        Code::SignInExpired => "The sign-in has expired",
        Code::SignInNotConfigured => "Sign-in is not configured",
        Code::ReturnInvalid => "The link is not valid",
        Code::ProviderUnreachable => "The identity provider does not answer",
        Code::ProviderMisconfigured => "Sign-in is misconfigured",
        _ => "Sign-in failed",
    }
}

fn advice(error: &Error) -> String {
    match error {
        Error::ProviderUnreachable { .. } => "Try again in a minute.".to_owned(),
        Error::ProviderMisconfigured { step, .. } => {
            format!("Ask an administrator to read the log. The step that failed: {step}.")
        }
        Error::Internal { .. } | Error::Permanent { .. } | Error::Stale | Error::Busy(_) => {
            "Something went wrong. Try again in a minute.".to_owned()
        }
        other => other.to_string(),
    }
}
