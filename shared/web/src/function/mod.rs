//! Conversion between HTTP API events and a router. Production functions and the local run share
//! it.
//!
//! The HTTP API decodes a path before passing it on, and `lambda_http` parses it as a URI again.
//! Without repair, a decoded `?` truncates the path, `..` reaches another route, and a character
//! that no URI may contain causes a panic.

mod repair;
mod route;
mod serve;
#[cfg(test)]
mod tests;

pub use route::route_matches;
pub use serve::{serve, serve_staged};

use std::{convert::Infallible, panic::AssertUnwindSafe};

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, HeaderValue, header::SET_COOKIE},
    response::Response,
};
use futures_util::FutureExt;
use lambda_http::{
    Adapter, Body, Context, LambdaEvent, Service,
    aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpRequestContext},
    request::LambdaRequest,
};
use serde_json::value::RawValue;
use tower::ServiceExt;

use crate::Refusal;

/// An answer in the format that Lambda returns to the HTTP API.
pub type Answer = <Adapter<'static, Response, Router> as Service<Invocation>>::Response;

type Invocation = LambdaEvent<LambdaRequest>;

/// A function behind the HTTP API. Answers events of payload format 2.0 with a router.
///
/// Every event gets an answer. Requests that cannot be served and panics get an error envelope.
#[derive(Clone, Debug)]
pub struct HttpFunction(Router);

impl HttpFunction {
    /// Creates a function from a router made by [`finish`](crate::finish).
    #[must_use]
    pub fn new(router: Router) -> Self {
        Self(router)
    }

    /// Returns the answer to one event.
    pub async fn answer(&self, event: &RawValue, context: Context) -> Answer {
        let (event, refusal) = match serde_json::from_str(event.get()) {
            Ok(event) => repair::event(event),
            Err(cause) => {
                tracing::warn!(%cause, "malformed event");
                (ApiGatewayV2httpRequest::default(), Some(Refusal::Malformed))
            }
        };
        let caller = event.request_context.clone();
        let answer = self.run(event, context.clone(), refusal);
        match AssertUnwindSafe(answer).catch_unwind().await {
            Ok(Ok(answer)) => answer,
            Err(_) => self.panic_answer(caller, context).await,
        }
    }

    async fn run(
        &self,
        event: ApiGatewayV2httpRequest,
        context: Context,
        refusal: Option<Refusal>,
    ) -> Result<Answer, Infallible> {
        let router = self.0.clone().map_request(move |mut request: Request<Body>| {
            if let Some(refusal) = refusal.clone() {
                request.extensions_mut().insert(refusal);
            }
            request
        });
        let router = router.map_response(joined);
        let event = LambdaEvent::new(LambdaRequest::ApiGatewayV2(event), context);
        // The adapter is not `Send`, so it must not be held across an await.
        let answer = Adapter::from(router).call(event);
        answer.await
    }

    /// Returns the answer after a panic: an internal error with the request's own ID.
    async fn panic_answer(
        &self,
        caller: ApiGatewayV2httpRequestContext,
        context: Context,
    ) -> Answer {
        let mut event = ApiGatewayV2httpRequest::default();
        event.raw_path = Some("/".into());
        event.request_context = caller;
        let Ok(answer) = self.run(event, context, Some(Refusal::Panicked)).await;
        answer
    }
}

/// Joins the values of repeated headers, because the answer's `headers` hold one value each.
fn joined(mut response: Response) -> Response {
    let headers = response.headers();
    if headers.len() > headers.keys_len() {
        *response.headers_mut() = join(headers);
    }
    response
}

/// Joins repeated values, except cookies, which have a member of their own.
fn join(headers: &HeaderMap) -> HeaderMap {
    let mut joined = HeaderMap::new();
    for name in headers.keys() {
        let values: Vec<_> = headers.get_all(name).iter().collect();
        let bytes = values.iter().map(|value| value.as_bytes()).collect::<Vec<_>>();
        match HeaderValue::from_bytes(&bytes.join(&b", "[..])) {
            Ok(value) if name != SET_COOKIE => {
                joined.insert(name, value);
            }
            _ => joined.extend(values.into_iter().map(|value| (name.clone(), value.clone()))),
        }
    }
    joined
}
