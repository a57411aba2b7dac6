use std::marker::PhantomData;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, header::LINK, request::Parts},
    response::{IntoResponse, Response},
};

use super::Json;
use crate::Failure;
use domain::{Entity, Error, Result};
use filter::{Filter, PageQuery, with_cursor};
use lambda::{keys::MasterKeys, token::Bearer};
use store::{Cursor, Page, Paging};

/// The header that lists incomplete included relations, separated by commas, for example `contacts,
/// lead.tenant.resources`.
const TRUNCATED: HeaderName = HeaderName::from_static("x-truncated");

/// The path and query of a requested list.
#[derive(Clone, Debug)]
pub struct ListUrl {
    path: String,
    query: String,
}

impl ListUrl {
    /// Returns the path and query of a request.
    #[must_use]
    pub fn of(parts: &Parts) -> Self {
        let query = parts.uri.query().unwrap_or_default().to_owned();
        Self { path: parts.uri.path().to_owned(), query }
    }

    /// Returns the query.
    #[must_use]
    pub fn query(&self) -> &str {
        &self.query
    }

    /// Opens the cursor that the request names, if any.
    ///
    /// # Errors
    ///
    /// [`Error::BadParameter`] if the cursor is not valid for this list.
    pub fn open(
        &self,
        sealed: Option<&String>,
        bearer: &Bearer,
        keys: &MasterKeys,
    ) -> Result<Option<Cursor>> {
        let list = self.list(bearer);
        sealed.map(|sealed| Cursor::open(sealed, &list, keys)).transpose()
    }

    /// Returns the header that links the next page, if there is one (RFC 8288).
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the link cannot be written.
    pub fn next(
        &self,
        cursor: Option<&Cursor>,
        bearer: &Bearer,
        keys: &MasterKeys,
    ) -> Result<Option<[(HeaderName, HeaderValue); 1]>> {
        let Some(cursor) = cursor else { return Ok(None) };
        let sealed = cursor.seal(&self.list(bearer), keys)?;
        let link = format!("<{}?{}>; rel=\"next\"", self.path, with_cursor(&self.query, &sealed));
        let link = HeaderValue::from_str(&link);
        Ok(Some([(LINK, link.map_err(Error::internal("linking the next page"))?)]))
    }

    /// Returns the scope in which a cursor is valid: this list with this query, for this lead or
    /// for operators.
    fn list(&self, bearer: &Bearer) -> String {
        let whose = bearer.lead().map(|lead| lead.to_string()).unwrap_or_default();
        format!("{whose} {}?{}", self.path, with_cursor(&self.query, ""))
    }
}

/// The request for a list of `E`.
#[derive(Clone, Debug)]
pub struct ListQuery<E> {
    /// Conditions, order, fields and inclusions.
    pub filter: Filter,
    /// The path and query of the list.
    pub url: ListUrl,
    entity: PhantomData<fn() -> E>,
}

impl<S: Send + Sync, E: Entity> FromRequestParts<S> for ListQuery<E> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let url = ListUrl::of(parts);
        let filter = Filter::from_query(&url.query, E::SCHEMA)?;
        Ok(Self { filter, url, entity: PhantomData })
    }
}

/// The request for a list without a filter.
#[derive(Clone, Debug)]
pub struct Paged {
    url: ListUrl,
    query: PageQuery,
}

impl<S: Send + Sync> FromRequestParts<S> for Paged {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let url = ListUrl::of(parts);
        let query = PageQuery::from_query(&url.query)?;
        Ok(Self { url, query })
    }
}

impl Paged {
    /// Returns the requested page.
    ///
    /// # Errors
    ///
    /// [`Error::BadParameter`] if the cursor is not valid for this list.
    pub fn paging(&self, bearer: &Bearer, keys: &MasterKeys) -> Result<Paging> {
        let cursor = self.url.open(self.query.cursor.as_ref(), bearer, keys)?;
        Ok(Paging { limit: self.query.limit, cursor })
    }

    /// Returns the response for `page`.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if the link cannot be written.
    pub fn answer(
        &self,
        page: Page,
        bearer: &Bearer,
        keys: &MasterKeys,
    ) -> Result<Response, Failure> {
        page_response(&self.url, page, bearer, keys)
    }
}

/// Returns the response for a page of a list, with a link to the next page (RFC 8288).
///
/// # Errors
///
/// [`Error::Internal`] if the link cannot be written.
pub fn page_response(
    url: &ListUrl,
    page: Page,
    bearer: &Bearer,
    keys: &MasterKeys,
) -> Result<Response, Failure> {
    let next = url.next(page.next.as_ref(), bearer, keys)?;
    let mut response = (next, Json(page.items)).into_response();
    truncated(response.headers_mut(), page.truncated);
    Ok(response)
}

/// Returns the response for the only entity of `page`.
///
/// # Errors
///
/// [`Error::Internal`] if the page is empty.
pub fn entity_response(page: Page) -> Result<Response, Failure> {
    let entity = page.items.into_iter().next().ok_or("it has none");
    let mut response = Json(entity.map_err(Error::internal("showing an entity"))?).into_response();
    truncated(response.headers_mut(), page.truncated);
    Ok(response)
}

/// Sets the header that lists incomplete relations.
fn truncated(headers: &mut HeaderMap, cut: impl IntoIterator<Item = String>) {
    let relations = cut.into_iter().collect::<Vec<_>>().join(", ");
    if let Ok(relations) = HeaderValue::from_str(&relations)
        && !relations.is_empty()
    {
        headers.insert(TRUNCATED, relations);
    }
}
