//! `POST /token`: exchanges a code for an ID token (RFC 6749 §4.1.3).

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::Bytes,
    extract::State as Shared,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use schema::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{CLIENT, Provider, codes::Grant, parameters::Parameters};

/// Validity of the ID token.
const LIFETIME: Duration = Duration::from_secs(300);

/// An error of RFC 6749 §5.2, by its status and its code.
#[derive(Debug)]
struct Refusal(StatusCode, &'static str);

const INVALID_REQUEST: Refusal = Refusal(StatusCode::BAD_REQUEST, "invalid_request");
const INVALID_CLIENT: Refusal = Refusal(StatusCode::UNAUTHORIZED, "invalid_client");
const INVALID_GRANT: Refusal = Refusal(StatusCode::BAD_REQUEST, "invalid_grant");
const UNSUPPORTED: Refusal = Refusal(StatusCode::BAD_REQUEST, "unsupported_grant_type");
const FAILED: Refusal = Refusal(StatusCode::INTERNAL_SERVER_ERROR, "server_error");

pub(super) async fn token(
    Shared(provider): Shared<Arc<Provider>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let exchanged = exchange(&provider, &headers, &body, lambda::now());
    let (status, answer) = match exchanged {
        Ok(answer) => (StatusCode::OK, answer),
        Err(Refusal(status, error)) => (status, json!({ "error": error })),
    };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response()
}

fn exchange(
    provider: &Provider,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<Value, Refusal> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    if kind != Some("application/x-www-form-urlencoded") {
        return Err(INVALID_REQUEST);
    }
    let given = Parameters::parse(body).map_err(|_| INVALID_REQUEST)?;
    // The client is public, so it has no secret.
    let has_secret =
        headers.contains_key(header::AUTHORIZATION) || given.get("client_secret").is_some();
    if given.get("client_id") != Some(CLIENT) || has_secret {
        return Err(INVALID_CLIENT);
    }
    if given.get("grant_type") != Some("authorization_code") {
        return Err(UNSUPPORTED);
    }
    let grant = provider.codes.take(given.get("code").ok_or(INVALID_REQUEST)?, now);
    let grant = grant.ok_or(INVALID_GRANT)?;
    let is_verified = given.get("code_verifier").is_some_and(|text| grant.is_verified_by(text));
    if !is_verified || given.get("redirect_uri") != Some(&grant.redirect_uri) {
        return Err(INVALID_GRANT);
    }
    let id_token = provider.key.sign(&claims(&provider.issuer, &grant, now)).map_err(|_| FAILED)?;
    Ok(json!({
        "access_token": Uuid::new_v4().simple().to_string(),
        "token_type": "Bearer",
        "expires_in": LIFETIME.as_secs(),
        "scope": "openid profile email",
        "id_token": id_token,
    }))
}

/// Returns the claims of an ID token:
/// <https://openid.net/specs/openid-connect-core-1_0.html#IDToken>.
fn claims(issuer: &str, grant: &Grant, now: Timestamp) -> Value {
    let person = grant.person;
    let mut claims = json!({
        "iss": issuer,
        "sub": person.id,
        "aud": CLIENT,
        "iat": now.seconds(),
        "exp": (now + LIFETIME).seconds(),
        "auth_time": grant.granted_at.seconds(),
        "name": person.name,
        "email": person.email(),
        "email_verified": true,
        "groups": person.group().into_iter().collect::<Vec<_>>(),
    });
    if let Some(nonce) = &grant.nonce {
        claims["nonce"] = nonce.as_str().into();
    }
    claims
}
