//! `GET /auth/callback`: a person comes back from the identity provider.

use std::collections::BTreeMap;

use axum::{
    extract::{RawQuery, State},
    http::{
        HeaderMap, StatusCode,
        header::{LOCATION, SET_COOKIE},
    },
    response::{IntoResponse, Response},
};
use domain::{AuditAction, Error, Operator, OperatorId, Session, UserId, Via};
use schema::Timestamp;
use url::form_urlencoded;

use crate::{
    Operators,
    client::Client,
    cookie::{self, Cookies, SessionSecret},
    origin::Own,
    page::{self, Problem},
    provider::{Person, Provider, TokenFailure},
    sign_in::{SignIn, redirect_uri},
};

/// The parameters of the callback (RFC 6749 §4.1.2, RFC 9207 §2).
#[derive(Debug, Default)]
struct Parameters {
    code: Option<String>,
    state: String,
    iss: Option<String>,
    error: Option<String>,
}

impl Parameters {
    /// Reads a query. A parameter that is repeated is an error (RFC 6749 §3.1).
    fn of(query: &str) -> Result<Self, Error> {
        let mut read = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.into_owned();
            let earlier = match &*name {
                "code" => read.code.replace(value).is_some(),
                "iss" => read.iss.replace(value).is_some(),
                "error" => read.error.replace(value).is_some(),
                "state" => !std::mem::replace(&mut read.state, value).is_empty(),
                _ => false,
            };
            if earlier {
                return Err(Error::SignInInvalid("a parameter of the callback is repeated"));
            }
        }
        Ok(read)
    }
}

/// `GET /auth/callback`. The cookie of the sign-in is removed, whatever comes of it.
pub(crate) async fn callback(
    State(operators): State<Operators>,
    own: Own,
    cookies: Cookies,
    client: Client,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let parameters = match Parameters::of(&query.unwrap_or_default()) {
        Ok(parameters) => parameters,
        Err(error) => return page::answer(error.into(), &headers, &operators.app),
    };
    let entered = Box::pin(enter(&operators, &own, &cookies, &client, &parameters)).await;
    let mut response = entered.unwrap_or_else(|problem| {
        operators.count_outage(&problem.error, lambda::now());
        page::answer(problem, &headers, &operators.app)
    });
    if let Ok(removed) = cookie::without_sign_in(&own, &parameters.state)
        && cookies.get(&cookie::sign_in_name(&own, &parameters.state)).is_some()
    {
        response.headers_mut().append(SET_COOKIE, removed);
    }
    response
}

/// Starts a session of the person that the provider identifies.
async fn enter(
    operators: &Operators,
    own: &Own,
    cookies: &Cookies,
    client: &Client,
    parameters: &Parameters,
) -> Result<Response, Problem> {
    let provider = operators.provider.as_ref().ok_or(Error::SignInNotConfigured)?;
    let now = lambda::now();
    let sign_in = SignIn::resume(&parameters.state, (cookies, own), &operators.keys, now)?;
    provider.check_callback(parameters.iss.as_deref(), now).await?;
    let Parameters { code: Some(code), error: None, .. } = parameters else {
        return Err(refused(parameters).into());
    };
    let redirect_uri = redirect_uri(own);
    let granted = provider.exchange(code, &sign_in.authorization(&redirect_uri), now).await;
    let granted = granted.map_err(|failure| match failure {
        TokenFailure::InvalidGrant => Error::SignInInvalid("the provider refused the code"),
        TokenFailure::Other(error) => error,
    })?;
    let person = provider.person(&granted, &sign_in.nonce, now).await?;
    lambda::trace::called_by(Via::Console);
    let id = OperatorId::for_subject(&provider.issuer.url, &person.subject);
    if person.profile.roles.is_empty() {
        note_refusal(operators, id, &Error::NoRole, now).await;
        return Err(without_role(provider, person));
    }
    let named = (provider.issuer.url.as_str(), person.subject.as_str());
    let operator = Operator::signed_in(id, named, person.profile.clone(), now);
    let secret = SessionSecret::generate(id)?;
    let lifetime = operators.sessions.lifetime;
    let session = Session::start(secret.id, id, person.profile, now, lifetime);
    let sealed = granted.refresh_token.map(|token| secret.seal(&token)).transpose()?;
    let session = Session { sealed_token: sealed, ..client.started(session) };
    if let Err(error) = operators.store.sign_in(&operator, &session).await {
        if matches!(error, Error::OperatorDisabled) {
            note_refusal(operators, id, &error, now).await;
        }
        return Err(error.into());
    }
    let headers = [(LOCATION, sign_in.return_to)];
    let cookie = [(SET_COOKIE, secret.cookie(own, lifetime)?)];
    Ok((StatusCode::SEE_OTHER, headers, cookie).into_response())
}

/// Notes for the audit log that a person was not let in. A failure is only logged, because the person must
/// learn of the refusal.
async fn note_refusal(operators: &Operators, id: OperatorId, why: &Error, now: Timestamp) {
    let by = UserId::from(id.to_string().as_str());
    let details = BTreeMap::from([("code", web::code(why).as_str().to_owned())]);
    let action = AuditAction::SignInRefused;
    if let Err(error) = operators.store.note_action(action, None, details, now, &by).await {
        tracing::warn!(error = %error.with_causes(), "a refused sign-in could not be noted");
    }
}

/// Returns the error of a callback without a code.
fn refused(parameters: &Parameters) -> Error {
    match parameters.error.as_deref() {
        Some("server_error" | "temporarily_unavailable") => Error::ProviderUnreachable {
            step: "signing in",
            source: "the provider reported a failure".into(),
        },
        Some(_) => Error::SignInRefused,
        None => Error::SignInInvalid("the callback has neither a code nor an error"),
    }
}

/// Returns the problem of a person without a role, with what a person needs to have it solved.
fn without_role(provider: &Provider, person: Person) -> Problem {
    let claims = domain::Grant::claims(&provider.grants);
    let claims = claims.into_iter().map(|path| path.replace("{client}", &provider.client_id));
    Problem::without_role(person, claims.collect())
}
