//! `/leads`: creates and verifies leads, and converts them into tenants. `/keys`: checks whether a
//! tenant key is available.

mod routes;

pub use routes::operations;

use std::time::Duration;

use axum::{
    Router,
    extract::{FromRef, State},
    http::Uri,
    response::Response,
};
use domain::{
    EMAILS_PER_DAY, EntityId, Error, Lead, LeadId, NewLead, NewResend, OnboardTenant, TenantKey,
    TenantView, UserId, permit,
};
use lambda::{
    Env,
    config::{ConfigError, LeadKeys, lead_retention},
    keys::MasterKeys,
    token::Tokens,
};
use schema::read;
use secrecy::ExposeSecret;
use serde::Serialize;
use store::{KeyState, Store, retry_if_stale};
use web::{
    Allowed, Backend, EntityTag, Failure, Json, KeyBearer, LeadBearer, Once, PathIds, RateLimits,
    Reply, RequestId, Result, Scope, Served, finish,
};

/// The state of the handlers.
#[derive(Clone, Debug, FromRef)]
struct Leads {
    limits: RateLimits,
    store: Store,
    tokens: Tokens,
    keys: MasterKeys,
    lead_keys: LeadKeys,
    retention: Option<Duration>,
    system: UserId,
}

/// Returns the router of this function, with the routes that `template.yaml` declares.
///
/// # Errors
///
/// [`ConfigError`] if a variable is missing or malformed.
pub async fn router(env: &Env) -> Result<Router, ConfigError> {
    let Backend { store, tokens, keys, .. } = Backend::from_env(env).await?;
    let leads = Leads {
        limits: RateLimits::from_env(env, "PUBLIC_API_MAX_ATTEMPTS", 30, &store)?,
        tokens,
        keys,
        lead_keys: LeadKeys::from_env(env)?,
        retention: lead_retention(env)?,
        system: env.required("SYSTEM_USER_ID")?.into(),
        store,
    };
    Ok(finish(routes::routes(Served::new(leads)).into_router()))
}

/// The answer to `POST /leads`.
#[derive(Debug, Serialize)]
struct Created {
    id: LeadId,
    /// Only present if `LEAD_KEY_IN_RESPONSE` is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

/// The answer to `POST /leads/{id}/verify`.
#[derive(Debug, Serialize)]
struct Verified {
    id: LeadId,
    token: String,
}

/// `POST /leads`: creates a lead. The stored lead triggers a verification email, unless the address
/// has reached its daily limit. The answer does not reveal whether it has.
async fn create(
    State(leads): State<Leads>,
    RequestId(request): RequestId,
    once: Once,
    Json(new): Json<NewLead>,
) -> Result<Response> {
    let LeadKeys { length, in_response, .. } = leads.lead_keys;
    let leads = &leads;
    let created = |id: LeadId| {
        let key = in_response.then(|| leads.keys.lead_key(id, length).expose_secret().to_owned());
        Reply::json(&Created { id, key })
    };
    let again = |id: String| async move { Ok(created(known(&id)?)?) };
    once.run_or_rebuild(Scope::Address, again, |attempt| async move {
        let lead = new.into_lead(lambda::now(), &leads.system, leads.retention);
        let reply = created(lead.id)?.with_credential_of(lead.id);
        // A facade that sends the email itself applies its own limit.
        let most = (!in_response).then_some(EMAILS_PER_DAY);
        attempt.recording(&reply).add_lead(lead, most, &request).await?;
        Ok(reply)
    })
    .await
}

/// Returns the ID that was recorded with an answer.
fn known(id: &str) -> domain::Result<LeadId> {
    id.parse().map_err(|_| Error::NotFound { entity: LeadId::ENTITY, id: id.to_owned() })
}

/// `POST /leads/resend`: stores a request for another link. Neither the answer nor its timing reveals
/// whether an email is sent.
async fn resend(
    RequestId(request): RequestId,
    once: Once,
    Json(new): Json<NewResend>,
) -> Result<Response> {
    once.run(Scope::Address, |attempt| async move {
        let reply = Reply::no_content();
        let resend = new.into_resend(lambda::now());
        attempt.recording(&reply).request_resend(&resend, &request).await?;
        Ok(reply)
    })
    .await
}

/// The answer to `GET /keys/{key}`.
#[derive(Debug, Serialize)]
struct Availability {
    key: TenantKey,
    available: bool,
    /// The reason if the key is not available: `taken` or `reserved`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// `GET /keys/{key}`: returns whether the key is available to a new tenant.
async fn key(State(store): State<Store>, path: PathIds) -> Result<Json<Availability>> {
    let rule =
        || Error::BadParameter("`key` must be 1 to 10 lowercase letters or digits.".to_owned());
    let key: TenantKey = read(&path.text("key").into()).map_err(|_| rule())?;
    let reason = match store.key_state(&key).await? {
        KeyState::Free => None,
        KeyState::Taken => Some("taken"),
        KeyState::Reserved => Some("reserved"),
    };
    Ok(Json(Availability { key, available: reason.is_none(), reason }))
}

/// `PATCH /leads`, `PATCH` and `PUT /leads/{id}`: not supported. Leads are read-only.
async fn update_not_supported(_: Allowed<permit::UpdateLead>, uri: Uri) -> Failure {
    not_supported(&uri)
}

/// `DELETE /leads/{id}`: not supported. Leads cannot be deleted.
async fn delete_not_supported(_: Allowed<permit::DeleteLead>, uri: Uri) -> Failure {
    not_supported(&uri)
}

fn not_supported(uri: &Uri) -> Failure {
    let path = uri.path().to_owned();
    let allow = if path == "/leads" { "GET, POST" } else { "GET" };
    Failure(Error::MethodNotAllowed { path, allow: allow.to_owned() })
}

/// `POST /leads/{id}/verify`: verifies the lead's address with the key from an email. A forged or
/// expired key is rejected without a read. The call can be repeated until the key expires, because
/// people click twice.
async fn verify(
    State(leads): State<Leads>,
    KeyBearer(key): KeyBearer,
    once: Once,
    path: PathIds,
) -> Result<Response> {
    let (id, now) = (path.id()?, lambda::now());
    let LeadKeys { length, expiry, .. } = leads.lead_keys;
    if Lead::key_expired(leads.keys.lead_key_issued(id, length, &key), now, expiry) {
        return Err(Error::Unauthorized("invalid or expired lead key").into());
    }
    let leads = &leads;
    let verified = || Reply::json(&Verified { id, token: leads.tokens.for_lead(id, now)? });
    let again = |_| async { Ok(verified()?) };
    once.run_or_rebuild(Scope::Lead(id), again, |attempt| async move {
        let reply = verified()?.with_credential_of(id);
        let store = attempt.recording(&reply);
        let validated = retry_if_stale(|| async {
            let lead = store.lead(id).await?;
            if lead.is_validated {
                Ok(())
            } else {
                store.validate_lead(&lead, now, &leads.system, leads.retention).await
            }
        });
        validated.await?;
        Ok(reply)
    })
    .await
}

/// `POST /leads/{id}/tenants`: converts a verified lead into a tenant. Each lead becomes at most
/// one tenant.
async fn convert(
    LeadBearer(bearer): LeadBearer,
    once: Once,
    path: PathIds,
    Json(request): Json<OnboardTenant>,
) -> Result<Response> {
    let (id, bearer) = (path.id()?, &bearer);
    once.run(Scope::Bearer(bearer), |attempt| async move {
        let lead = attempt.store.lead(id).await;
        let lead = lead.map_err(Error::unauthorized_if_not_found("unknown lead"))?;
        let onboarding = lead.convert(request, lambda::now(), &bearer.id)?;
        let tenant = TenantView::onboarded(&onboarding, Some(&lead));
        let reply = Reply::json(&tenant)?.tagged(EntityTag::FIRST);
        attempt.recording(&reply).onboard(&onboarding).await?;
        Ok(reply)
    })
    .await
}
