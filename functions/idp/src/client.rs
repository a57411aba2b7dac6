use secrecy::{ExposeSecret, SecretString};

use axum::{
    body::Body,
    http::{
        self, Method, Request, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
};
use domain::{Error, Result};
use fetch::{FetchError, Fetched};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::{Url, form_urlencoded};

use crate::refusal::{DataSource, Refusal};

/// The HTTP client for providers outside AWS. Its failures name the step of the set-up.
#[derive(Clone, Debug)]
pub(crate) struct Client(fetch::Client);

/// A request to a provider. It is not `Debug`, because its body and token may be secret.
pub(crate) struct Call {
    /// The step that a failure names.
    step: &'static str,
    method: Method,
    url: Url,
    bearer: Option<SecretString>,
    body: Option<(&'static str, Vec<u8>)>,
    /// The source of data that the provider may refuse.
    data: Option<DataSource>,
}

/// The response of a provider.
pub(crate) struct Answer {
    step: &'static str,
    status: StatusCode,
    body: Vec<u8>,
    data: Option<DataSource>,
}

/// Why a call failed. The response is never quoted, because it may contain a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the provider responded with {0}")]
    Status(StatusCode),
    #[error("the provider responded with the error {0}")]
    Code(String),
    #[error("the provider rejected the request permanently with the error {0}")]
    Refused(String),
    #[error("the provider did not respond in time")]
    Late,
    #[error("the provider could not be reached")]
    Unreachable,
    #[error("the response of the provider could not be read")]
    Unreadable,
    #[error("the resource could not be found")]
    Lost,
    #[error("a resource with this name exists, but was not created by Tenantry")]
    Foreign,
    #[error("the tenant has no contact")]
    Nobody,
}

impl Failure {
    /// Whether a repetition would fail in the same way, until a person changes something.
    pub(crate) fn is_permanent(&self) -> bool {
        match self {
            Self::Status(status) => {
                let passes = [
                    StatusCode::REQUEST_TIMEOUT,
                    StatusCode::CONFLICT,
                    StatusCode::LOCKED,
                    StatusCode::TOO_EARLY,
                    StatusCode::TOO_MANY_REQUESTS,
                ];
                status.is_client_error() && !passes.contains(status)
            }
            Self::Refused(_) | Self::Foreign | Self::Nobody => true,
            Self::Code(_) | Self::Late | Self::Unreachable | Self::Unreadable | Self::Lost => false,
        }
    }

    /// Converts this failure into an error of `step`.
    pub(crate) fn at(self, step: &'static str) -> Error {
        Error::Upstream { step, source: Box::new(self) }
    }
}

impl Client {
    pub(crate) fn new() -> Self {
        Self(fetch::Client::new())
    }

    /// Sends `call` once. After a failure, the caller of the API repeats the whole set-up.
    pub(crate) async fn send(&self, call: Call) -> Result<Answer> {
        let (step, data) = (call.step, call.data.clone());
        let request = call.request().map_err(|_| Failure::Unreachable.at(step))?;
        let fetched = self.0.fetch(request).await;
        let Fetched { status, body } = fetched.map_err(|cause| Failure::from(cause).at(step))?;
        Ok(Answer { step, status, body, data })
    }
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::NotConnected | FetchError::Unreachable => Self::Unreachable,
            FetchError::Late => Self::Late,
            FetchError::Unreadable => Self::Unreadable,
        }
    }
}

impl Call {
    pub(crate) fn new(step: &'static str, method: Method, url: Url) -> Self {
        Self { step, method, url, bearer: None, body: None, data: None }
    }

    pub(crate) fn bearer(mut self, token: &SecretString) -> Self {
        self.bearer = Some(format!("Bearer {}", token.expose_secret()).into());
        self
    }

    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.body = Some(("application/json", body.to_string().into_bytes()));
        self
    }

    /// Names the source of the body's data, so that its refusal becomes an error of the request.
    pub(crate) fn about(mut self, data: DataSource) -> Self {
        self.data = Some(data);
        self
    }

    pub(crate) fn form(mut self, fields: &[(&str, &str)]) -> Self {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.body = Some(("application/x-www-form-urlencoded", form.into_bytes()));
        self
    }

    fn request(self) -> http::Result<Request<Body>> {
        let mut request = Request::builder().method(self.method).uri(self.url.as_str());
        if let Some(bearer) = self.bearer {
            request = request.header(AUTHORIZATION, bearer.expose_secret());
        }
        let (kind, body) = self.body.unzip();
        if let Some(kind) = kind {
            request = request.header(CONTENT_TYPE, kind);
        }
        request.body(body.unwrap_or_default().into())
    }
}

impl Answer {
    /// Checks that the call succeeded.
    pub(crate) fn success(&self) -> Result<()> {
        match self.status {
            status if status.is_success() => Ok(()),
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
                let refusals = Refusal::all_of(&self.body);
                let refused = self.data.as_ref().and_then(|data| data.error(self.step, &refusals));
                Err(refused.unwrap_or_else(|| Failure::Status(self.status).at(self.step)))
            }
            status => Err(Failure::Status(status).at(self.step)),
        }
    }

    /// Checks that the call succeeded, and reads the body.
    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<T> {
        self.success()?;
        serde_json::from_slice(&self.body).map_err(|_| Failure::Unreadable.at(self.step))
    }

    /// Reads the answer to a lookup. Returns `None` if the resource does not exist (404).
    pub(crate) fn lookup<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        if self.status == StatusCode::NOT_FOUND { Ok(None) } else { self.body().map(Some) }
    }

    /// Reads the answer to a creation. Returns `None` if the resource already exists (409).
    pub(crate) fn created<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        if self.status == StatusCode::CONFLICT { Ok(None) } else { self.body().map(Some) }
    }

    /// Checks that a creation succeeded or that the resource already exists (409). Always returns
    /// `None`, so that [`ensure`] looks the resource up.
    pub(crate) fn created_or_exists<T>(&self) -> Result<Option<T>> {
        if self.status == StatusCode::CONFLICT { Ok(None) } else { self.success().map(|()| None) }
    }
}

/// Returns the URL of `segments` below `base`, each segment escaped.
pub(crate) fn below(base: &Url, segments: &[&str], query: &[(&str, &str)]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    // Auth0's user IDs contain `|`, which is not valid in an HTTP request line.
    let path = url.path().replace('|', "%7C");
    url.set_path(&path);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    url
}

/// Returns what `look` finds or `make` creates. Looks again if `make` returns `None`: a concurrent
/// call was faster, or the provider does not return what it created.
pub(crate) async fn ensure<T, L, M>(
    step: &'static str,
    look: impl Fn() -> L,
    make: impl FnOnce() -> M,
) -> Result<T>
where
    L: Future<Output = Result<Option<T>>>,
    M: Future<Output = Result<Option<T>>>,
{
    if let Some(found) = look().await? {
        return Ok(found);
    }
    if let Some(made) = make().await? {
        return Ok(made);
    }
    look().await?.ok_or_else(|| Failure::Lost.at(step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_escaped() {
        let base = Url::parse("https://id.test/auth/").unwrap();
        let url = below(&base, &["users", "a|/../b?c%"], &[("email", "a+b@c.test")]);
        let expected = "https://id.test/auth/users/a%7C%2F..%2Fb%3Fc%25?email=a%2Bb%40c.test";
        assert_eq!(url.as_str(), expected);
    }
}
