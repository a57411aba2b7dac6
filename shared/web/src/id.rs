use std::{convert::Infallible, str::FromStr};

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};

use domain::{Error, Result};

/// An ID in a path, parsed after the body: a malformed ID is 404, which comes after 422.
#[derive(Clone, Debug)]
pub struct Id(Vec<(String, String)>);

impl Id {
    /// Returns the path parameter `name` as the ID of an `entity`.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if the ID is malformed.
    pub fn of<T: FromStr>(&self, name: &str, entity: &'static str) -> Result<T> {
        let found = self.0.iter().find(|(known, _)| known == name).map(|(_, id)| id.as_str());
        let id = found.unwrap_or_default();
        id.parse().map_err(|_| Error::NotFound { entity, id: id.to_owned() })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Ok(Self(params.map_or_else(|_| Vec::new(), |params| params.iter().map(owned).collect())))
    }
}
