use axum::{
    extract::{FromRef, FromRequestParts},
    http::{header::AUTHORIZATION, request::Parts},
};

use crate::{
    Error, Result,
    domain::Permission,
    token::{Bearer, Tokens},
};

/// A caller whose token grants the permission of this code.
///
/// In a handler's arguments it stands before the body: 401 and 403 come before 422.
#[derive(Clone, Debug)]
pub struct Allowed<const CODE: u16>(pub Bearer);

impl<const CODE: u16, S: Send + Sync> FromRequestParts<S> for Allowed<CODE>
where
    Tokens: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let bearer = Tokens::from_ref(state).bearer(presented(parts)?)?;
        bearer.must_have(Permission::of(CODE))?;
        Ok(Self(bearer))
    }
}

/// A caller with the token of a lead.
#[derive(Clone, Debug)]
pub struct LeadBearer(pub Bearer);

impl<S: Send + Sync> FromRequestParts<S> for LeadBearer
where
    Tokens: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let bearer = Tokens::from_ref(state).bearer(presented(parts)?)?;
        if bearer.lead().is_none() {
            return Err(Error::Unauthorized("not a lead's token"));
        }
        Ok(Self(bearer))
    }
}

/// The key that a caller presents as a bearer, unchecked.
#[derive(Clone, Debug)]
pub struct KeyBearer(pub String);

impl<S: Send + Sync> FromRequestParts<S> for KeyBearer {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        presented(parts).map(|key| Self(key.to_owned()))
    }
}

/// What stands after `Bearer`, whose case does not matter (RFC 9110 §11.1).
fn presented(parts: &Parts) -> Result<&str> {
    let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, key) = header.unwrap_or_default().split_once(' ').unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") || key.is_empty() {
        return Err(Error::Unauthorized("no bearer"));
    }
    Ok(key)
}
