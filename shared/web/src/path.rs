use std::convert::Infallible;

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};

use domain::{EntityId, Error, Result};

/// The parameters of a path. An ID is parsed after the body: a malformed ID is 404, which comes after 422.
#[derive(Clone, Debug)]
pub struct PathIds(Vec<(String, String)>);

impl PathIds {
    /// Returns the path parameter `id`.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if the ID is malformed.
    pub fn id<T: EntityId>(&self) -> Result<T> {
        self.named("id")
    }

    /// Returns the path parameter `name` as an ID.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if the ID is malformed.
    pub fn named<T: EntityId>(&self, name: &str) -> Result<T> {
        let id = self.text(name);
        id.parse().map_err(|_| Error::NotFound { entity: T::ENTITY, id: id.to_owned() })
    }

    /// Returns the path parameter `name` as it was sent.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, text)| text)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathIds {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Ok(Self(params.map_or_else(|_| Vec::new(), |params| params.iter().map(owned).collect())))
    }
}
