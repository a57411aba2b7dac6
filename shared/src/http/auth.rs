use std::marker::PhantomData;

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{header::AUTHORIZATION, request::Parts},
};

use super::Id;
use crate::{
    Error, Result,
    domain::{Permission, Permit},
    token::{Bearer, Tokens},
};

/// A caller whose token grants the permission `P`.
///
/// In a handler's arguments it stands before the body: 401 and 403 come before 422.
#[derive(Clone, Debug)]
pub struct Allowed<P> {
    /// Who it is.
    pub bearer: Bearer,
    permit: PhantomData<P>,
}

impl<P: Permit, S: Send + Sync> FromRequestParts<S> for Allowed<P>
where
    Tokens: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let bearer = Tokens::from_ref(state).bearer(presented(parts)?)?;
        bearer.must_have_one(Permission::of::<P>())?;
        Ok(Self { bearer, permit: PhantomData })
    }
}

/// A caller whose token grants the permission `P`, and is no lead's.
#[derive(Clone, Debug)]
pub struct Operator<P> {
    /// Who it is.
    pub bearer: Bearer,
    permit: PhantomData<P>,
}

impl<P: Permit, S: Send + Sync> FromRequestParts<S> for Operator<P>
where
    Tokens: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let Allowed { bearer, permit } = Allowed::<P>::from_request_parts(parts, state).await?;
        bearer.must_be_operator()?;
        Ok(Self { bearer, permit })
    }
}

/// A caller with the token of the lead whose `id` is in the path.
///
/// Where the path's id is no id at all, that is left to [`Id`]: 404 comes after the body.
#[derive(Clone, Debug)]
pub struct LeadBearer(pub Bearer);

impl<S: Send + Sync> FromRequestParts<S> for LeadBearer
where
    Tokens: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let bearer = Tokens::from_ref(state).bearer(presented(parts)?)?;
        let Ok(path) = Id::from_request_parts(parts, state).await;
        match (bearer.lead(), path.of("id", "Lead")) {
            (None, _) => Err(Error::Unauthorized("not a lead's token")),
            (Some(lead), Ok(named)) if lead != named => {
                Err(Error::Unauthorized("another lead's token"))
            }
            _ => Ok(Self(bearer)),
        }
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
