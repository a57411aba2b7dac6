use axum::{
    body::{Body, Bytes},
    extract::{FromRef, FromRequestParts, Request},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header::CONTENT_TYPE,
        request::Parts,
    },
    response::{IntoResponse, Response},
};

use super::{Failure, Reply, Result, client_address, code, envelope};
use domain::{Error, LeadId};
use lambda::token::Bearer;
use store::{KeyedRequest, Lease, RecordedAnswer, RecordedBody, RequestClaim, Store};

/// The request header with a key that the client chooses
/// (<https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/>).
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The header of an answer that was recorded earlier, as Stripe sends it.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Maximum length of a key, in characters.
const KEY_LIMIT: usize = 255;

/// Maximum size of a body that is buffered, in bytes: that of the HTTP API.
const BUFFERED: usize = 10 * 1024 * 1024;

/// The body of a request as it was sent.
#[derive(Clone, Debug)]
struct Sent(Bytes);

/// Keeps the body of a request with a key, which its fingerprint depends on.
pub(crate) async fn keep_body(request: Request) -> Request {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if is_safe || !request.headers().contains_key(IDEMPOTENCY_KEY) {
        return request;
    }
    let (mut parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, BUFFERED).await.unwrap_or_default();
    parts.extensions.insert(Sent(bytes.clone()));
    Request::from_parts(parts, Body::from(bytes))
}

/// The owner of an idempotency key.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'a> {
    /// The bearer of a token.
    Bearer(&'a Bearer),
    /// A lead, whichever of its keys it has sent.
    Lead(LeadId),
    /// The client address, for routes without a token.
    Address,
}

/// A write that is made once for each idempotency key. Place it behind the caller in a handler's
/// arguments, so that 401 and 403 come before the key.
#[derive(Clone, Debug)]
pub struct Once {
    store: Store,
    keyed: Option<Keyed>,
}

/// The parts of a request that its key and its fingerprint depend on.
#[derive(Clone, Debug)]
struct Keyed {
    key: Vec<u8>,
    method: Method,
    path: String,
    query: String,
    content_type: Vec<u8>,
    address: String,
    body: Bytes,
}

impl<S: Send + Sync> FromRequestParts<S> for Once
where
    Store: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let Some(key) = key(&parts.headers)? else {
            return Ok(Self { store: Store::from_ref(state), keyed: None });
        };
        let content_type = parts.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        let sent = parts.extensions.get::<Sent>();
        let keyed = Keyed {
            key,
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            content_type: content_type.unwrap_or_default().to_owned(),
            address: client_address(&parts.extensions).unwrap_or("unknown").to_owned(),
            body: sent.map(|Sent(body)| body.clone()).unwrap_or_default(),
        };
        Ok(Self { store: Store::from_ref(state), keyed: Some(keyed) })
    }
}

/// Returns the idempotency key of a request, if it has one.
fn key(headers: &HeaderMap) -> domain::Result<Option<Vec<u8>>> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(key) = values.next() else { return Ok(None) };
    let key = key.as_bytes();
    let visible = key.iter().all(u8::is_ascii_graphic);
    if !visible || key.is_empty() || key.len() > KEY_LIMIT || values.next().is_some() {
        return Err(Error::IdempotencyKeyInvalid);
    }
    Ok(Some(key.to_owned()))
}

impl Keyed {
    /// Returns the request as it is claimed.
    fn request(&self, scope: Scope<'_>) -> KeyedRequest {
        let caller = match scope {
            Scope::Bearer(bearer) => match bearer.lead() {
                Some(lead) => format!("lead {lead}"),
                None => format!("user {}", bearer.id),
            },
            Scope::Lead(lead) => format!("lead {lead}"),
            Scope::Address => format!("address {}", self.address),
        };
        let route = [self.method.as_str().as_bytes(), self.path.as_bytes()];
        KeyedRequest::new(
            &[caller.as_bytes(), route[0], route[1], &self.key],
            &[route[0], route[1], self.query.as_bytes(), &self.content_type, &self.body],
        )
    }

    /// Returns the request as it is locked: whatever its content is, only one runs at a time.
    fn lock(&self) -> KeyedRequest {
        let scope = [b"lock", self.address.as_bytes(), self.path.as_bytes(), &self.key];
        KeyedRequest::new(&scope, &[])
    }
}

/// One attempt at a write.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The table, for reads and for writes that can be repeated.
    pub store: Store,
    lease: Option<Lease>,
}

impl Attempt {
    /// Returns a store whose next write records `reply` in its transaction, if the request has a key.
    #[must_use]
    pub fn recording(&self, reply: &Reply) -> Store {
        match &self.lease {
            Some(lease) => self.store.recording(lease, reply.to_record()),
            None => self.store.clone(),
        }
    }
}

impl Once {
    /// Answers with `handle`. If an earlier request with the same key was answered, repeats its answer.
    ///
    /// An answer is recorded if it follows from what is stored: 2xx, 404 and 409. Everything else is
    /// decided again.
    ///
    /// # Errors
    ///
    /// The errors of `handle`; [`Error::IdempotencyInProgress`] and [`Error::IdempotencyKeyReused`].
    pub async fn run<F: Future<Output = Result<Reply>>>(
        self,
        scope: Scope<'_>,
        handle: impl FnOnce(Attempt) -> F,
    ) -> Result<Response> {
        let lost =
            async |_| Err(Error::internal("repeating an answer")("its body is missing").into());
        self.run_or_rebuild(scope, lost, handle).await
    }

    /// Same as [`Once::run`], for answers whose body is not always recorded: `rebuild` makes it again
    /// from the ID that is.
    ///
    /// # Errors
    ///
    /// The errors of [`Once::run`] and of `rebuild`.
    pub async fn run_or_rebuild<F, R>(
        self,
        scope: Scope<'_>,
        rebuild: impl FnOnce(String) -> R,
        handle: impl FnOnce(Attempt) -> F,
    ) -> Result<Response>
    where
        F: Future<Output = Result<Reply>>,
        R: Future<Output = Result<Reply>>,
    {
        let Self { store, keyed } = self;
        let Some(keyed) = keyed else {
            return Ok(handle(Attempt { store, lease: None }).await?.into_response());
        };
        match store.claim_request(keyed.request(scope), lambda::now()).await? {
            RequestClaim::Ours(lease) => {
                let attempt = Attempt { store: store.clone(), lease: Some(lease.clone()) };
                end(&store, &lease, Box::pin(handle(attempt)).await).await
            }
            RequestClaim::Running => Err(Error::IdempotencyInProgress.into()),
            RequestClaim::Reused => Err(Error::IdempotencyKeyReused.into()),
            RequestClaim::Done(answer) => replay(answer, rebuild).await,
        }
    }

    /// Answers with `handle`, which is idempotent by itself, while no other request with this key runs.
    ///
    /// # Errors
    ///
    /// The errors of `handle`; [`Error::IdempotencyInProgress`].
    pub async fn alone<T, F: Future<Output = Result<T>>>(
        self,
        handle: impl FnOnce() -> F,
    ) -> Result<T> {
        let Some(keyed) = self.keyed else { return handle().await };
        let claim = self.store.claim_request(keyed.lock(), lambda::now()).await?;
        let RequestClaim::Ours(lease) = claim else {
            return Err(Error::IdempotencyInProgress.into());
        };
        let answer = Box::pin(handle()).await;
        release(&self.store, &lease).await;
        answer
    }
}

/// Records the answer of a request that had no effect to record it with, or releases its key.
async fn end(store: &Store, lease: &Lease, answer: Result<Reply>) -> Result<Response> {
    match answer {
        Ok(reply) => {
            if !lease.is_recorded() {
                store.record_answer(lease, reply.to_record()).await?;
            }
            Ok(reply.into_response())
        }
        Err(Failure(error)) => {
            let status = code(&error).status();
            let lost = matches!(error, Error::IdempotencyInProgress);
            if matches!(status, StatusCode::NOT_FOUND | StatusCode::CONFLICT) && !lost {
                let body = RecordedBody::Json(envelope(&error).to_string());
                let (status, body) = (status.as_u16(), Some(body));
                let answer = RecordedAnswer { status, location: None, version: None, body };
                store.record_answer(lease, answer).await?;
            } else if !lost {
                release(store, lease).await;
            }
            Err(Failure(error))
        }
    }
}

/// Releases a key. If that fails, the key is released when its lease ends.
async fn release(store: &Store, lease: &Lease) {
    if let Err(error) = store.release_request(lease).await {
        tracing::warn!(error = %error.with_causes(), "an idempotency key is held until its lease ends");
    }
}

/// Returns a recorded answer.
async fn replay<R: Future<Output = Result<Reply>>>(
    answer: RecordedAnswer,
    rebuild: impl FnOnce(String) -> R,
) -> Result<Response> {
    let reply = match answer.body {
        Some(RecordedBody::Of(id)) => {
            let answer = RecordedAnswer { body: None, ..answer };
            Reply::from_record(answer)?.with_body_of(rebuild(id).await?)
        }
        _ => Reply::from_record(answer)?,
    };
    let mut response = reply.into_response();
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_1_to_255_visible_characters() {
        let read = |keys: &[&str]| {
            let mut headers = HeaderMap::new();
            for key in keys {
                headers.append(IDEMPOTENCY_KEY, HeaderValue::from_bytes(key.as_bytes()).unwrap());
            }
            key(&headers)
        };
        assert_eq!(read(&[]).unwrap(), None);
        let (longest, long) = ("k".repeat(255), "k".repeat(256));
        for good in ["k", "\"quoted\"", "8e03978e-40d5-43e8-bc93-6894a57f9324", &longest] {
            assert_eq!(read(&[good]).unwrap().as_deref(), Some(good.as_bytes()));
        }
        for bad in [&[""][..], &["a b"], &["é"], &[&long], &["a", "a"]] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}
