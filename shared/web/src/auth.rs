use std::{fmt, marker::PhantomData};

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{HeaderMap, header::AUTHORIZATION, request::Parts},
};

use super::PathIds;
use crate::Failure;
use domain::{Error, LeadId, Permission, Permit, Result};
use lambda::token::{Bearer, Tokens};

/// A caller whose token grants the permission `P`.
///
/// Place it before the body in a handler's arguments, so that 401 and 403 come before 422.
#[derive(Clone, Debug)]
pub struct Allowed<P> {
    /// The bearer of the token.
    pub bearer: Bearer,
    permit: PhantomData<P>,
}

impl<P: Permit, S: Send + Sync> FromRequestParts<S> for Allowed<P>
where
    Tokens: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let bearer = authenticated(parts, state)?;
        bearer.must_have_one(Permission::granting::<P>())?;
        Ok(Self { bearer, permit: PhantomData })
    }
}

/// A caller whose token grants the permission `P`, and who may see the entities that `V` opens.
#[derive(Clone, Debug)]
pub struct AllowedBoth<P, V> {
    /// The bearer of the token.
    pub bearer: Bearer,
    permits: PhantomData<(P, V)>,
}

impl<P: Permit, V: Permit, S: Send + Sync> FromRequestParts<S> for AllowedBoth<P, V>
where
    Tokens: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Allowed { bearer, .. } = Allowed::<P>::from_request_parts(parts, state).await?;
        if !bearer.may_see(V::CODES) {
            return Err(Error::Forbidden("the permission to view is missing").into());
        }
        Ok(Self { bearer, permits: PhantomData })
    }
}

/// An operator whose token grants the permission `P`.
#[derive(Clone, Debug)]
pub struct Operator<P> {
    /// The bearer of the token.
    pub bearer: Bearer,
    permit: PhantomData<P>,
}

impl<P: Permit, S: Send + Sync> FromRequestParts<S> for Operator<P>
where
    Tokens: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Allowed { bearer, permit } = Allowed::<P>::from_request_parts(parts, state).await?;
        bearer.must_be_operator()?;
        Ok(Self { bearer, permit })
    }
}

impl<P> From<Operator<P>> for Allowed<P> {
    fn from(Operator { bearer, permit }: Operator<P>) -> Self {
        Self { bearer, permit }
    }
}

/// A caller with the token of the lead whose ID is in the path.
///
/// A malformed ID is left to [`PathIds`], because 404 comes after the checks of the body.
#[derive(Clone, Debug)]
pub struct LeadBearer(pub Bearer);

impl<S: Send + Sync> FromRequestParts<S> for LeadBearer
where
    Tokens: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let bearer = authenticated(parts, state)?;
        let Ok(path) = PathIds::from_request_parts(parts, state).await;
        match (bearer.lead(), path.id::<LeadId>()) {
            (None, _) => Err(Error::Unauthorized("not a lead's token").into()),
            (Some(lead), Ok(named)) if lead != named => {
                Err(Error::Unauthorized("another lead's token").into())
            }
            _ => Ok(Self(bearer)),
        }
    }
}

/// The bearer token of a caller, not verified yet.
#[derive(Clone)]
pub struct KeyBearer(pub String);

impl fmt::Debug for KeyBearer {
    /// Omits the key, because it may be valid.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyBearer")
    }
}

impl<S: Send + Sync> FromRequestParts<S> for KeyBearer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        Ok(Self(bearer_token(&parts.headers)?.to_owned()))
    }
}

/// Returns the bearer of the request's token.
fn authenticated<S>(parts: &Parts, state: &S) -> Result<Bearer>
where
    Tokens: FromRef<S>,
{
    Tokens::from_ref(state).bearer(bearer_token(&parts.headers)?)
}

/// Returns the token of the only `Authorization: Bearer` header: the scheme in any case, one or
/// more spaces, and a `token68` (RFC 9110 §11.2).
fn bearer_token(headers: &HeaderMap) -> Result<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Error::Unauthorized("not exactly one authorization header"));
    };
    let (scheme, token) =
        value.to_str().ok().and_then(|text| text.split_once(' ')).unwrap_or_default();
    let token = token.trim_matches(' ');
    if !scheme.eq_ignore_ascii_case("bearer") || !is_token68(token) {
        return Err(Error::Unauthorized("no bearer token"));
    }
    Ok(token)
}

fn is_token68(token: &str) -> bool {
    let body = token.trim_end_matches('=');
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    !body.is_empty() && body.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(values: &[&[u8]]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        bearer_token(&headers).ok().map(str::to_owned)
    }

    #[test]
    fn a_bearer_is_one_token_of_one_header() {
        for good in
            ["Bearer a.b-_~+/9", "bearer a.b-_~+/9", "BEARER a.b-_~+/9", "Bearer   a.b-_~+/9 "]
        {
            assert_eq!(read(&[good.as_bytes()]).as_deref(), Some("a.b-_~+/9"), "{good}");
        }
        assert_eq!(read(&[b"Bearer a=="]).as_deref(), Some("a=="));
        for bad in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer   ",
            "Bearer\ta",
            "Bearer \ta",
            "Bearer a\t",
            "Bearer a b",
            "Bearer a,Bearer a",
            "Bearer a, Bearer b",
            "Bearer a;b",
            "Bearer \"a\"",
            "Bearer =",
            "Bearer a=b",
            "Basic a",
            "a",
            " Bearer a",
            "Bearer: a",
            "Bearer é",
            "Bearer a\u{a0}",
        ] {
            assert_eq!(read(&[bad.as_bytes()]), None, "{bad:?}");
        }
        assert_eq!(read(&[b"Bearer \xff"]), None);
        assert_eq!(read(&[b"Bearer a", b"Bearer a"]), None);
        assert_eq!(read(&[b"Basic a", b"Bearer a"]), None);
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn a_key_is_not_shown() {
        assert_eq!(format!("{:?}", KeyBearer("marker".into())), "KeyBearer");
    }
}
