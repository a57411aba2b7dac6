use std::convert::Infallible;

use axum::{
    Router,
    extract::{FromRequestParts, Request},
    http::{
        Extensions, HeaderMap, HeaderValue, Uri,
        header::{CACHE_CONTROL, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS},
        request::Parts,
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use lambda_http::request::RequestContext;
use tracing::Instrument;
use uuid::Uuid;

use crate::Error;

/// The address a request came from, as API Gateway saw it; never a forwarded-for header.
#[must_use]
pub fn client_address(extensions: &Extensions) -> Option<&str> {
    match extensions.get::<RequestContext>()? {
        RequestContext::ApiGatewayV2(context) => context.http.source_ip.as_deref(),
        _ => None,
    }
}

/// Adds to a router what all routers have: a span and an ID for each request, the headers of every
/// answer, and our envelope if there is no such route or method.
pub fn finish(router: Router) -> Router {
    finish_or(router, |path| Error::NoRoute(path.to_owned()))
}

/// As [`finish`], for the router that is asked what no other serves: `unserved` says of a path what
/// is wrong with it.
pub fn finish_or(router: Router, unserved: fn(&str) -> Error) -> Router {
    router
        .fallback(async move |uri: Uri| unserved(uri.path()))
        .method_not_allowed_fallback(async |uri: Uri| Error::MethodNotAllowed {
            path: uri.path().to_owned(),
            allow: String::new(),
        })
        .layer(middleware::from_fn(identify))
}

/// How long browsers insist on HTTPS, in seconds: a year (OWASP ASVS 5.0 §3.4.1). Neither for
/// subdomains nor for browsers' preload lists: the domain above may be somebody else's.
const HSTS: &str = "max-age=31536000";

/// Sets the headers of every answer: no cache keeps it unless its handler says otherwise, its media
/// type is not guessed, and browsers ask again by HTTPS alone.
fn secure(headers: &mut HeaderMap) {
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
}

/// The longest query string that is read, in bytes, without its `cursor`. The HTTP API refuses
/// requests whose line and header values have more than 10,240 bytes together:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>.
pub const QUERY_LIMIT: usize = 8 * 1024;

/// The longest path that is read, in bytes, for the same reason.
pub const PATH_LIMIT: usize = 8 * 1024;

/// Why a request is answered before any route sees it.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// The event, or the encoding of its body, cannot be read.
    Malformed,
    /// The path, as it was asked for, is none of the route.
    NoRoute(String),
    /// The path is longer than [`PATH_LIMIT`].
    LongPath,
    /// The query string is longer than [`QUERY_LIMIT`].
    LongQuery,
    /// The handler panicked.
    Panicked,
}

impl Refusal {
    fn into_error(self) -> Error {
        match self {
            Self::Malformed => Error::Malformed("The request cannot be read.".into()),
            Self::NoRoute(path) => Error::NoRoute(path),
            Self::LongPath => too_long("path", PATH_LIMIT),
            Self::LongQuery => too_long("query string", QUERY_LIMIT),
            Self::Panicked => Error::aws("answering a request")("the handler panicked"),
        }
    }
}

fn too_long(part: &str, most: usize) -> Error {
    Error::BadParameter(format!("The {part} must not be longer than {most} bytes."))
}

/// The id of a request, which its log lines, its answer and the events that follow from it have.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

impl<S: Send + Sync> FromRequestParts<S> for RequestId {
    type Rejection = Infallible;

    /// An empty one outside of [`finish`].
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_else(|| Self(String::new())))
    }
}

async fn identify(mut request: Request, next: Next) -> Response {
    let id = match request.extensions().get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
        _ => None,
    };
    let id = id.unwrap_or_else(|| Uuid::now_v7().to_string());
    let span = tracing::info_span!(
        "request",
        http.request.method = %request.method(),
        url.path = request.uri().path(),
        request.id = id,
    );
    request.extensions_mut().insert(RequestId(id.clone()));
    let refusal = request.extensions_mut().remove::<Refusal>();
    let answer = async {
        match refusal {
            Some(refusal) => refusal.into_error().into_response(),
            None => next.run(request).await,
        }
    };
    let mut response = answer.instrument(span).await;
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", id);
    }
    secure(response.headers_mut());
    response
}
