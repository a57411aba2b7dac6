//! `POST /auth/token` and `POST /auth/sign-out`.

use axum::{
    extract::{FromRef, FromRequestParts, State},
    http::{header::SET_COOKIE, request::Parts},
    response::{IntoResponse, Response},
};
use domain::{Error, OperatorId, Profile, Result, Session, UserId, Via};
use lambda::{metric::Metric, token::Identity};
use schema::Timestamp;
use serde::Serialize;
use serde_json::json;
use store::Refreshed;
use url::Url;
use web::{Access, Argument, Caller, Failure, Json};

use crate::{
    Operators,
    cookie::{self, Cookies, SessionSecret},
    origin::{Hosting, Own, SameOrigin},
    provider::{Granted, Provider, TokenFailure},
};

/// A request with the cookie of a session, from our own origin.
pub(crate) struct SessionCaller(SessionSecret);

impl<S: Send + Sync> FromRequestParts<S> for SessionCaller
where
    Hosting: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        SameOrigin::from_request_parts(parts, state).await?;
        let Ok(own) = Own::from_request_parts(parts, state).await;
        let Ok(cookies) = Cookies::from_request_parts(parts, state).await;
        let secret = cookies.session(&own);
        secret.map(Self).ok_or(Failure(Error::SignInRequired("there is no session cookie")))
    }
}

impl Argument for SessionCaller {
    const ACCESS: Option<Access> = Some(Access::of(Caller::Session));
}

/// The answer to `POST /auth/token` and `POST /auth/exchange`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Issued {
    token: String,
    /// The life of the token, in seconds.
    expires_in: i64,
    /// The end of the session. `None` for a machine, which has none.
    session_ends_on: Option<Timestamp>,
    operator: Holder,
}

#[derive(Debug, Serialize)]
struct Holder {
    id: OperatorId,
    name: String,
    email: Option<String>,
    roles: Vec<String>,
    permissions: Vec<String>,
}

impl Operators {
    /// Reports that the provider did not check a session. The session goes on.
    fn report_unchecked(&self, error: &Error, now: Timestamp) {
        tracing::warn!(error = %error.with_causes(), "a session could not be checked");
        self.count_outage(error, now);
    }

    /// Counts `error` if it is that a provider did not answer.
    pub(crate) fn count_outage(&self, error: &Error, now: Timestamp) {
        if matches!(error, Error::ProviderUnreachable { .. }) {
            self.metrics.write(&Metric::ProviderUnreachable, now);
        }
    }

    /// Signs a token for an operator, which expires at `latest` at the latest.
    pub(crate) fn issue(
        &self,
        id: OperatorId,
        session: Option<&Session>,
        profile: Profile,
        latest: Timestamp,
        now: Timestamp,
    ) -> Result<Issued> {
        let permissions = self.roles.permissions(&profile.roles);
        let expiry = latest.min(now + self.sessions.token_expiry);
        let token = self.tokens.for_identity(&Identity {
            id,
            session: session.map(|session| session.id),
            name: &profile.name,
            roles: &profile.roles,
            permissions: &permissions,
            issued: now,
            expiry,
        })?;
        let Profile { name, email, roles, .. } = profile;
        let permissions = permissions.iter().map(ToString::to_string).collect();
        Ok(Issued {
            token,
            expires_in: expiry.seconds() - now.seconds(),
            session_ends_on: session.map(|session| session.ends_on),
            operator: Holder { id, name, email, roles, permissions },
        })
    }
}

/// `POST /auth/token`: signs a token for the operator of a session.
pub(crate) async fn token(
    State(operators): State<Operators>,
    SessionCaller(secret): SessionCaller,
) -> web::Result<Json<Issued>> {
    let (now, idle) = (lambda::now(), operators.sessions.idle);
    let session = operators.store.see_session(secret.operator, secret.id, now, idle).await?;
    let mut session = session.ok_or(Error::SignInRequired("the session has ended"))?;
    lambda::trace::called_by(Via::Console);
    if session.is_due(now)
        && let Some(provider) = operators.provider.as_deref()
        && let Some(profile) = check(&operators, provider, &secret, &session, now).await?
    {
        session.profile = profile;
    }
    let profile = session.profile.clone();
    let issued = operators.issue(secret.operator, Some(&session), profile, session.ends_on, now)?;
    Ok(Json(issued))
}

/// Checks a session's person at the provider. Returns `None` if nothing new is known: the provider
/// says nothing or does not answer, or another request is checking.
async fn check(
    operators: &Operators,
    provider: &Provider,
    secret: &SessionSecret,
    session: &Session,
    now: Timestamp,
) -> Result<Option<Profile>> {
    let token = session.sealed_token.as_deref().and_then(|sealed| secret.open(sealed));
    let Some(token) = token else { return Ok(None) };
    if !operators.store.lease_refresh(session, now).await? {
        return Ok(None);
    }
    let granted = match provider.refresh(&token, now).await {
        Ok(granted) => granted,
        Err(TokenFailure::InvalidGrant) => {
            return Err(ended(operators, session, "the provider ended the session", now).await?);
        }
        Err(TokenFailure::Other(error)) => {
            operators.report_unchecked(&error, now);
            return Ok(None);
        }
    };
    let profile = match checked(provider, &granted, session, now).await {
        Ok(profile) => profile,
        // The new refresh token is kept, because the old one may not be valid any more.
        Err(error @ (Error::ProviderUnreachable { .. } | Error::ProviderMisconfigured { .. })) => {
            operators.report_unchecked(&error, now);
            None
        }
        Err(Error::SignInInvalid(reason) | Error::SignInRequired(reason)) => {
            return Err(ended(operators, session, reason, now).await?);
        }
        Err(error) => return Err(error),
    };
    if profile.as_ref().is_some_and(|profile| profile.roles.is_empty()) {
        return Err(ended(operators, session, "the operator has no role any more", now).await?);
    }
    let sealed_token = secret.seal(granted.refresh_token.as_ref().unwrap_or(&token))?;
    let refreshed = Refreshed { profile: profile.clone(), sealed_token, leased_on: now };
    operators.store.refresh_session(session, &refreshed, now).await?;
    Ok(profile)
}

/// Returns what the provider says about the session's person.
async fn checked(
    provider: &Provider,
    granted: &Granted,
    session: &Session,
    now: Timestamp,
) -> Result<Option<Profile>> {
    let Some(person) = provider.refreshed_person(granted, now).await? else { return Ok(None) };
    let id = OperatorId::for_subject(&provider.issuer.url, &person.subject);
    if id != session.operator_id {
        return Err(Error::SignInRequired("the provider describes another person"));
    }
    Ok(Some(person.profile))
}

/// Ends a session and returns the error for its holder.
async fn ended(
    operators: &Operators,
    session: &Session,
    reason: &'static str,
    now: Timestamp,
) -> Result<Error> {
    lambda::trace::called_by(Via::System);
    operators.store.end_session(session.operator_id, session.id, now, None).await?;
    Ok(Error::SignInRequired(reason))
}

/// `POST /auth/sign-out`: ends the session, if there is one. Returns where to sign out at the
/// provider.
pub(crate) async fn sign_out(
    State(operators): State<Operators>,
    _: SameOrigin,
    own: Own,
    cookies: Cookies,
) -> web::Result<Response> {
    let now = lambda::now();
    let secret = cookies.session(&own);
    let ended = match &secret {
        Some(secret) => {
            lambda::trace::called_by(Via::Console);
            let by = UserId::from(&*secret.operator.to_string());
            operators.store.end_session(secret.operator, secret.id, now, Some(&by)).await?
        }
        None => None,
    };
    let mut redirect = None;
    if let (Some(session), Some(secret), Some(provider)) =
        (ended, secret, operators.provider.as_deref())
    {
        let sealed = session.sealed_token.as_deref();
        if let Some(token) = sealed.and_then(|sealed| secret.open(sealed)) {
            provider.revoke(&token, now).await;
        }
        redirect = provider.sign_out_url(&own.url("/console"), now).await;
    }
    let answer = Json(json!({ "redirect": redirect.as_ref().map(Url::as_str) }));
    Ok(([(SET_COOKIE, cookie::without_session(&own)?)], answer).into_response())
}
