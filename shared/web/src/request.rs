use std::convert::Infallible;

use axum::{
    Router,
    extract::{FromRequestParts, Request},
    http::{
        Extensions, HeaderMap, HeaderValue, Uri,
        header::{CACHE_CONTROL, STRICT_TRANSPORT_SECURITY, USER_AGENT, X_CONTENT_TYPE_OPTIONS},
        request::Parts,
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use lambda_http::request::RequestContext;
use tracing::Instrument;
use uuid::Uuid;

use crate::{Failure, once::keep_body};
use domain::{Error, Trace};

/// Returns the client address as seen by API Gateway. Forwarded-for headers are ignored, because
/// clients can forge them.
#[must_use]
pub fn client_address(extensions: &Extensions) -> Option<&str> {
    match extensions.get::<RequestContext>()? {
        RequestContext::ApiGatewayV2(context) => context.http.source_ip.as_deref(),
        _ => None,
    }
}

/// Adds what all routers share: a span and an ID for each request, the headers of every answer, and
/// error envelopes for unknown routes and methods.
pub fn finish(router: Router) -> Router {
    finish_with(router, |uri| Failure(Error::NoRoute(uri.path().to_owned())).into_response())
}

/// Same as [`finish`], for the router that receives all requests no other function serves.
/// `unserved` returns the answer for an unknown path.
pub fn finish_with(router: Router, unserved: fn(&Uri) -> Response) -> Router {
    router
        .fallback(async move |uri: Uri| unserved(&uri))
        .method_not_allowed_fallback(async |uri: Uri| {
            Failure(Error::MethodNotAllowed { path: uri.path().to_owned(), allow: String::new() })
        })
        .layer(middleware::from_fn(identify))
}

/// Time for which browsers insist on HTTPS: one year (OWASP ASVS 5.0 §3.4.1). Subdomains and
/// preload lists are left out, because the parent domain may belong to another party.
const HSTS: &str = "max-age=31536000";

/// Sets the headers of every answer: not cached unless its handler allows it, no media type
/// sniffing, and HTTPS only.
fn secure(headers: &mut HeaderMap) {
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
}

/// Maximum length of a query string in bytes, not counting its `cursor`. The HTTP API refuses
/// requests whose request line and header values together exceed 10,240 bytes:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>.
pub const QUERY_LIMIT: usize = 8 * 1024;

/// Maximum length of a path in bytes, for the same reason.
pub const PATH_LIMIT: usize = 8 * 1024;

/// The reason to refuse a request before any route sees it.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// The event or the encoding of its body is malformed.
    Malformed,
    /// The requested path does not match the route.
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
            Self::Malformed => Error::Malformed("The request is malformed.".into()),
            Self::NoRoute(path) => Error::NoRoute(path),
            Self::LongPath => too_long("path", PATH_LIMIT),
            Self::LongQuery => too_long("query string", QUERY_LIMIT),
            Self::Panicked => Error::internal("answering a request")("the handler panicked"),
        }
    }
}

fn too_long(part: &str, most: usize) -> Error {
    Error::BadParameter(format!("The {part} must not be longer than {most} bytes."))
}

/// The ID of a request. It appears in logs, in the answer, and in the events caused by the request.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

impl<S: Send + Sync> FromRequestParts<S> for RequestId {
    type Rejection = Infallible;

    /// Returns an empty ID outside of [`finish`].
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_else(|| Self(String::new())))
    }
}

/// Returns how a request came about, as far as it is known before it is authenticated.
fn trace(id: &str, request: &Request) -> Trace {
    let ip = client_address(request.extensions()).and_then(|address| address.parse().ok());
    let agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    Trace::of_request(id, ip, agent)
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
    let trace = trace(&id, &request);
    let refusal = request.extensions_mut().remove::<Refusal>();
    let answer = async {
        match refusal {
            Some(refusal) => Failure(refusal.into_error()).into_response(),
            None => next.run(keep_body(request).await).await,
        }
    };
    let mut response = lambda::trace::scope(trace, answer.instrument(span)).await;
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", id);
    }
    secure(response.headers_mut());
    response
}
