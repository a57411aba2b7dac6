//! The HTTP client for servers outside AWS. It uses the HTTP and TLS crates of the SDK, with the
//! public root certificates, and follows no redirects.

use std::time::Duration;

use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as Hyper, connect::HttpConnector},
    rt::TokioExecutor,
};

/// The time limit of a request.
pub const TIMEOUT: Duration = Duration::from_secs(5);

/// The maximum size of a response, in bytes.
const ANSWER_LIMIT: usize = 1024 * 1024;

/// A client. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client(Hyper<HttpsConnector<HttpConnector>, Body>);

/// A response.
#[derive(Clone)]
pub struct Fetched {
    /// The status.
    pub status: StatusCode,
    /// The body, which may be secret.
    pub body: Vec<u8>,
}

/// The reason for which there is no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// No connection was made, so the server has not seen the request.
    #[error("the provider could not be connected to")]
    NotConnected,
    /// The connection failed after it was made.
    #[error("the provider could not be reached")]
    Unreachable,
    /// The response took longer than [`TIMEOUT`].
    #[error("the provider did not respond in time")]
    Late,
    /// The body is too long or was cut off.
    #[error("the response of the provider could not be read")]
    Unreadable,
}

impl Client {
    /// Creates a client without a connection.
    #[must_use]
    pub fn new() -> Self {
        let connector = HttpsConnectorBuilder::new().with_webpki_roots();
        let connector = connector.https_or_http().enable_http1().build();
        Self(Hyper::builder(TokioExecutor::new()).build(connector))
    }

    /// Sends `request` once.
    ///
    /// # Errors
    ///
    /// [`FetchError`] if there is no response. A response of any status is none.
    pub async fn fetch(&self, request: Request<Body>) -> Result<Fetched, FetchError> {
        let exchange = async {
            let response = self.0.request(request).await.map_err(|cause| {
                let connected = !cause.is_connect();
                if connected { FetchError::Unreachable } else { FetchError::NotConnected }
            })?;
            let (parts, body) = response.into_parts();
            let body = to_bytes(Body::new(body), ANSWER_LIMIT).await;
            let body = body.map_err(|_| FetchError::Unreadable)?.into();
            Ok(Fetched { status: parts.status, body })
        };
        tokio::time::timeout(TIMEOUT, exchange).await.unwrap_or(Err(FetchError::Late))
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}
